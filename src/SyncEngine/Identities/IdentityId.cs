using System.Globalization;

namespace SyncEngine.Identities;

/// <summary>Names an identity: 128 bits. A guest's are the start of its device key's SHA-256, so they cannot be
/// chosen.</summary>
/// <param name="High">The first 64 bits.</param>
/// <param name="Low">The last 64 bits.</param>
public readonly record struct IdentityId(ulong High, ulong Low)
{
    /// <summary>Reads an id as <see cref="ToString"/> writes it.</summary>
    /// <exception cref="FormatException">The text is not 32 hexadecimal digits.</exception>
    public static IdentityId Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length != 32) throw new FormatException("An identity id is written as 32 hexadecimal digits.");
        return new IdentityId(Part(text[..16]), Part(text[16..]));

        static ulong Part(string half) => ulong.Parse(half, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() =>
        High.ToString("x16", CultureInfo.InvariantCulture) + Low.ToString("x16", CultureInfo.InvariantCulture);
}
