using System.Text.Json;

namespace SyncEngine.Hub.Push;

/// <summary>An app's account at Firebase Cloud Messaging.</summary>
public sealed class FcmOptions
{
    /// <summary>Where the service is.</summary>
    public Uri BaseAddress { get; set; } = new("https://fcm.googleapis.com");

    /// <summary>Where access tokens come from.</summary>
    public Uri TokenAddress { get; set; } = new("https://oauth2.googleapis.com/token");

    /// <summary>The project's id.</summary>
    public required string ProjectId { get; set; }

    /// <summary>The service account.</summary>
    public required string ClientEmail { get; set; }

    /// <summary>The service account's key in PEM.</summary>
    public required string PrivateKeyPem { get; set; }

    /// <summary>Reads the JSON file of a service account as Google Cloud hands it out.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static FcmOptions FromServiceAccount(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return new FcmOptions
            {
                ProjectId = Text("project_id"),
                ClientEmail = Text("client_email"),
                PrivateKeyPem = Text("private_key"),
                TokenAddress = new Uri(Text("token_uri")),
            };

            string Text(string member) => document.RootElement.GetProperty(member).GetString() ?? throw new FormatException();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new FormatException("This is no key file of a service account: it needs project_id, client_email, "
                + "private_key and token_uri. Create a key in the Google Cloud console and take its JSON file.", e);
        }
    }
}
