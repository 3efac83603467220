using Xunit;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>
/// A test against the real provider of the folder oidc; skipped, saying what to install, where node or its packages are missing.
/// A continuous build counts what is skipped as failed.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OidcProviderFactAttribute : FactAttribute
{
    public OidcProviderFactAttribute()
    {
        if (!OidcProvider.IsInstalled)
            Skip = "Needs Node.js 20 or later and: npm ci --prefix tests/SyncEngine.Hub.Tests/oidc";
    }
}
