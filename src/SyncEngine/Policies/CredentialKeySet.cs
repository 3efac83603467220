using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;

namespace SyncEngine.Policies;

/// <summary>The P-256 keys of a JSON Web Key Set by their ids. Immutable, thread-safe.</summary>
internal sealed class CredentialKeySet
{
    private const int CharactersMax = 64 * 1024;
    private const int KeysMax = 64;
    private const int PartBytes = 32;

    private readonly Dictionary<string, Key> _keys = new(StringComparer.Ordinal);

    private CredentialKeySet()
    {
    }

    /// <summary>Reads a key set. Keys of other kinds are passed over, as RFC 7517 has it.</summary>
    /// <param name="json">The text.</param>
    /// <param name="previous">The keys before, of which those that stay are not imported again.</param>
    /// <exception cref="FormatException">It is none, or holds no key that signs credentials.</exception>
    public static CredentialKeySet Parse(string json, CredentialKeySet? previous)
    {
        if (json.Length > CharactersMax) throw Fault($"it has more than {CharactersMax:N0} characters");
        try
        {
            using JsonDocument document = JsonDocument.Parse(
                json, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out JsonElement keys) || keys.ValueKind != JsonValueKind.Array)
                throw Fault("it has no array of keys");
            if (keys.GetArrayLength() > KeysMax) throw Fault($"it has more than {KeysMax} keys");
            var set = new CredentialKeySet();
            foreach (JsonElement key in keys.EnumerateArray()) set.Add(key, previous);
            return set._keys.Count > 0 ? set : throw Fault("it has no P-256 key with an id");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException or CryptographicException)
        {
            throw Fault("it is no JSON, has a member twice, or a key that is none", e);
        }
    }

    /// <summary>Whether a signature of 64 bytes, r and s, is of the named key.</summary>
    public bool Verify(string id, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature) =>
        _keys.TryGetValue(id, out Key? key) && key.Verify(signed, signature);

    private void Add(JsonElement json, CredentialKeySet? previous)
    {
        if (json.ValueKind != JsonValueKind.Object) throw Fault("a key is no object");
        if (Text(json, "kty") != "EC" || Text(json, "crv") != "P-256" || Text(json, "kid") is not { Length: > 0 } id
            || (json.TryGetProperty("alg", out _) && Text(json, "alg") != "ES256")
            || (json.TryGetProperty("use", out _) && Text(json, "use") != "sig")) return;
        if (StrictBase64Url.Decode(Text(json, "x").AsSpan()) is not { Length: PartBytes } x
            || StrictBase64Url.Decode(Text(json, "y").AsSpan()) is not { Length: PartBytes } y)
            throw Fault($"the key {id} has no x and y of {PartBytes} bytes");
        Key? known = null;
        bool isKnown = previous?._keys.TryGetValue(id, out known) == true && known!.Is(x, y);
        Key key = isKnown ? known! : new Key(x, y);
        if (!_keys.TryAdd(id, key)) throw Fault($"the key {id} is there twice");
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static FormatException Fault(string what, Exception? cause = null) => new(
        $"This is no key set of a hub: {what}. Fetch it from the hub's jwks.json.", cause);

    /// <summary>A key, imported once for each thread that ever verified at the same time: an ECDsa is not thread-safe.</summary>
    private sealed class Key
    {
        private readonly ConcurrentBag<ECDsa> _idle = [];
        private readonly byte[] _x;
        private readonly byte[] _y;

        public Key(byte[] x, byte[] y)
        {
            (_x, _y) = (x, y);
            _idle.Add(Import());
        }

        public bool Is(byte[] x, byte[] y) => _x.AsSpan().SequenceEqual(x) && _y.AsSpan().SequenceEqual(y);

        public bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
        {
            if (!_idle.TryTake(out ECDsa? key)) key = Import();
            bool isValid = key.VerifyData(signed, signature, HashAlgorithmName.SHA256);
            _idle.Add(key);
            return isValid;
        }

        private ECDsa Import() => ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = _x, Y = _y },
        });
    }
}
