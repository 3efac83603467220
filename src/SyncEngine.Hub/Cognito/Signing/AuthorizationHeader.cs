namespace SyncEngine.Hub.Cognito.Signing;

/// <summary>The header <c>Authorization</c> of a signed request.</summary>
internal sealed record AuthorizationHeader(
    string AccessKeyId, string Date, string Region, string Service, IReadOnlyList<string> SignedHeaders, string Signature)
{
    private const int SignedHeadersMax = 100;

    public string Scope => $"{Date}/{Region}/{Service}/{CanonicalRequest.Terminator}";

    /// <summary>Reads the header.</summary>
    /// <exception cref="CognitoException">A part is missing or malformed.</exception>
    public static AuthorizationHeader Parse(string header)
    {
        if (!header.StartsWith(CanonicalRequest.Algorithm + " ", StringComparison.Ordinal))
            throw Incomplete($"Authorization header requires the algorithm '{CanonicalRequest.Algorithm}'.");
        string? credential = null, signedHeaders = null, signature = null;
        foreach (string part in header[(CanonicalRequest.Algorithm.Length + 1)..].Split(',', StringSplitOptions.TrimEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? part : part[..equals];
            string value = equals < 0 ? "" : part[(equals + 1)..];
            switch (name)
            {
                case "Credential" when credential is null: credential = value; break;
                case "SignedHeaders" when signedHeaders is null: signedHeaders = value; break;
                case "Signature" when signature is null: signature = value; break;
                default: throw Incomplete("Authorization header has a part that is unknown or repeated.");
            }
        }

        if (string.IsNullOrEmpty(credential)) throw Requires("Credential");
        if (string.IsNullOrEmpty(signature)) throw Requires("Signature");
        if (string.IsNullOrEmpty(signedHeaders)) throw Requires("SignedHeaders");
        string[] scope = credential.Split('/');
        if (scope.Length != 5 || scope.Any(static part => part.Length == 0) || scope[4] != CanonicalRequest.Terminator)
            throw Incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/"
                + $"{CanonicalRequest.Terminator}.");
        string[] names = signedHeaders.Split(';');
        if (names.Length > SignedHeadersMax || names.Any(static name => name.Length == 0 || name.Any(char.IsUpper))
            || !names.Order(StringComparer.Ordinal).Distinct(StringComparer.Ordinal).SequenceEqual(names))
            throw Incomplete("SignedHeaders must be lower-case names in order, each once.");
        return new AuthorizationHeader(scope[0], scope[1], scope[2], scope[3], names, signature);
    }

    private static CognitoException Requires(string part) =>
        Incomplete($"Authorization header requires '{part}' parameter.");

    private static CognitoException Incomplete(string message) => new("IncompleteSignatureException", 403, message);
}
