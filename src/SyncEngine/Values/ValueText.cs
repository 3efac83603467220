using System.Globalization;
using System.Text;

namespace SyncEngine.Values;

/// <summary>Formats values for people, in the manner of JSON.</summary>
internal static class ValueText
{
    public static string Format(Value value)
    {
        StringBuilder text = new();
        Append(text, value);
        return text.ToString();
    }

    private static void Append(StringBuilder text, Value value)
    {
        switch (value.Kind)
        {
            case ValueKind.Missing:
                text.Append("missing");
                break;
            case ValueKind.Null:
                text.Append("null");
                break;
            case ValueKind.Boolean:
                text.Append(value.AsBoolean() ? "true" : "false");
                break;
            case ValueKind.Integer:
                text.Append(value.AsInteger().ToString(CultureInfo.InvariantCulture));
                break;
            case ValueKind.Double:
                AppendDouble(text, value.AsDouble());
                break;
            case ValueKind.String:
                AppendQuoted(text, value.AsString());
                break;
            case ValueKind.Bytes:
                text.Append("0x");
                foreach (byte unit in value.AsBytes()) text.Append(unit.ToString("x2", CultureInfo.InvariantCulture));
                break;
            case ValueKind.Timestamp:
                text.Append(value.AsTimestamp().UtcDateTime.ToString("o", CultureInfo.InvariantCulture));
                break;
            case ValueKind.Array:
                AppendArray(text, value);
                break;
            default:
                AppendMap(text, value);
                break;
        }
    }

    private static void AppendDouble(StringBuilder text, double number)
    {
        string digits = number.ToString("R", CultureInfo.InvariantCulture);
        text.Append(digits);

        // An integer and an equal double are two values, so they must not look the same.
        bool looksLikeInteger = true;
        foreach (char digit in digits) looksLikeInteger &= digit is '-' or (>= '0' and <= '9');
        if (looksLikeInteger) text.Append(".0");
    }

    private static void AppendQuoted(StringBuilder text, string content)
    {
        text.Append('"');
        foreach (char unit in content)
        {
            if (unit is '"' or '\\') text.Append('\\').Append(unit);
            else if (unit == '\n') text.Append("\\n");
            else if (unit < ' ') text.Append("\\u").Append(((int)unit).ToString("x4", CultureInfo.InvariantCulture));
            else text.Append(unit);
        }
        text.Append('"');
    }

    private static void AppendArray(StringBuilder text, Value value)
    {
        text.Append('[');
        string separator = "";
        foreach (Value element in value.AsArray())
        {
            text.Append(separator);
            Append(text, element);
            separator = ", ";
        }
        text.Append(']');
    }

    private static void AppendMap(StringBuilder text, Value value)
    {
        text.Append('{');
        string separator = "";
        foreach (KeyValuePair<string, Value> pair in value.AsMap())
        {
            text.Append(separator);
            AppendQuoted(text, pair.Key);
            text.Append(": ");
            Append(text, pair.Value);
            separator = ", ";
        }
        text.Append('}');
    }
}
