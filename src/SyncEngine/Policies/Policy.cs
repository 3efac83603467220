using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace SyncEngine.Policies;

/// <summary>
/// Who may do what: statements that allow or deny actions on resources. What no statement allows is denied, and a statement
/// that denies wins. Compiled once; immutable, thread-safe; a decision allocates nothing and takes less than a microsecond for
/// policies of a few statements. <c>docs/POLICIES.md</c> has the language.
/// </summary>
public sealed class Policy
{
    /// <summary>Longest document, in bytes.</summary>
    public const int BytesMax = 64 * 1024;

    private readonly PolicyStatement[] _statements;
    private readonly string _json;
    private string? _hash;

    private Policy(PolicyStatement[] statements, string json) => (_statements, _json) = (statements, json);

    /// <summary>Names the policy: the SHA-256 of its JSON without blanks, 64 hexadecimal digits.</summary>
    public string Hash
    {
        get
        {
            if (_hash is not null) return _hash;
            using SHA256 sha = SHA256.Create();
            byte[] hash = sha.ComputeHash(Encoding.UTF8.GetBytes(_json));
            var text = new StringBuilder(2 * hash.Length);
            foreach (byte b in hash) text.Append(b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
            return _hash = text.ToString();
        }
    }

    /// <summary>Reads a policy document.</summary>
    /// <exception cref="PolicyException">It is not as it must be; the message says where.</exception>
    public static Policy Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (Encoding.UTF8.GetByteCount(json) > BytesMax)
            throw TooLarge();
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            return Parse(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            // An ArgumentException is a text that is no Unicode.
            throw new PolicyException("The policy is no JSON: " + e.Message, e);
        }
    }

    /// <summary>Reads a policy document that was parsed as JSON.</summary>
    /// <exception cref="PolicyException">It is not as it must be; the message says where.</exception>
    public static Policy Parse(JsonElement document)
    {
        try
        {
            string json = JsonSerializerText.WithoutBlanks(document);
            if (Encoding.UTF8.GetByteCount(json) > BytesMax) throw TooLarge();
            return new Policy(PolicyReader.Read(document), json);
        }
        catch (InvalidOperationException e)
        {
            throw new PolicyException("The policy has a text that is no Unicode, or no value at all: " + e.Message, e);
        }
    }

    /// <summary>Whether an action on a resource is allowed, and by which statement.</summary>
    /// <param name="action">Such as <c>dataset:write</c>.</param>
    /// <param name="resource">Segments with slashes between, such as <c>identity/ID/dataset/save</c>.</param>
    /// <param name="context">Who asks.</param>
    public PolicyDecision Decide(string action, string resource, PolicyContext context)
    {
        ArgumentNullException.ThrowIfNull(action);
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(context);
        int allowing = -1;
        for (int i = 0; i < _statements.Length; i++)
        {
            PolicyStatement statement = _statements[i];
            if ((statement.Allows && allowing >= 0) || !statement.Applies(action, resource.AsSpan(), context)) continue;
            if (!statement.Allows) return new PolicyDecision(false, i);
            allowing = i;
        }

        return new PolicyDecision(allowing >= 0, allowing);
    }

    /// <summary>Whether an action on a resource is allowed.</summary>
    public bool Allows(string action, string resource, PolicyContext context) => Decide(action, resource, context).IsAllowed;

    /// <summary>What each statement says to a request, and why.</summary>
    public IReadOnlyList<StatementVerdict> Explain(string action, string resource, PolicyContext context)
    {
        ArgumentNullException.ThrowIfNull(action);
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(context);
        return _statements.Select((statement, i) => new StatementVerdict(i, statement.Allows ? "allow" : "deny",
            statement.Applies(action, resource.AsSpan(), context), statement.Explain(action, resource, context))
        {
            Missing = statement.FindMissing(action, resource, context),
        }).ToList();
    }

    /// <summary>The document, without blanks.</summary>
    public override string ToString() => _json;

    private static PolicyException TooLarge() =>
        new($"A policy has at most {BytesMax:N0} bytes: split it, or use fewer statements.");
}
