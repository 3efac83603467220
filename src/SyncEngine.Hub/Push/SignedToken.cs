using System.Buffers.Text;
using System.Text;

namespace SyncEngine.Hub.Push;

/// <summary>Writes the signed tokens (JWT) that push services ask for.</summary>
internal static class SignedToken
{
    /// <summary>Header, payload and signature, each base64url.</summary>
    /// <param name="header">JSON.</param>
    /// <param name="payload">JSON.</param>
    /// <param name="sign">Signs bytes.</param>
    public static string Create(string header, string payload, Func<byte[], byte[]> sign)
    {
        string content = Encode(Encoding.UTF8.GetBytes(header)) + "." + Encode(Encoding.UTF8.GetBytes(payload));
        return content + "." + Encode(sign(Encoding.ASCII.GetBytes(content)));
    }

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
