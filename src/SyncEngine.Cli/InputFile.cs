using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SyncEngine.Cli;

/// <summary>Reads files that the user names as input: texts of a bounded size. What is wrong with one is bad input.</summary>
internal static class InputFile
{
    private const int JsonBytesMax = 1024 * 1024;
    private const int LineBytesMax = 4096;
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a text in UTF-8, with or without a byte order mark. No more than the bound is read.</summary>
    /// <param name="file">The file's path.</param>
    /// <param name="bytesMax">Most bytes that the file may have.</param>
    public static string ReadText(string file, int bytesMax)
    {
        byte[] bytes = ReadBytes(file, bytesMax);
        try
        {
            return _strict.GetString(bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes.AsSpan(3) : bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw CommandFailure.BadInput($"{file} is no UTF-8 at byte {e.Index}: save it in that encoding.", e);
        }
    }

    /// <summary>Reads a JSON object without repeated members, at most 1 MiB of it.</summary>
    public static JsonObject ReadJsonObject(string file)
    {
        string text = ReadText(file, JsonBytesMax);
        try
        {
            return JsonNode.Parse(text, null, new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                ?? throw CommandFailure.BadInput($"{file} holds no JSON object.");
        }
        catch (JsonException e)
        {
            throw CommandFailure.BadInput($"{file} is no JSON: {e.Message}", e);
        }
    }

    /// <summary>Reads the one line that a file is to hold, such as a key.</summary>
    public static string ReadLine(string file)
    {
        string line = ReadText(file, LineBytesMax).Trim();
        return line.Length > 0 && !line.Contains('\n', StringComparison.Ordinal) ? line
            : throw CommandFailure.BadInput($"{file} must hold one line.");
    }

    private static byte[] ReadBytes(string file, int bytesMax)
    {
        if (Directory.Exists(file)) throw CommandFailure.BadInput($"{file} is a folder: name a file.");
        try
        {
            using FileStream stream = File.OpenRead(file);
            byte[] bytes = new byte[bytesMax + 1];
            int count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return count <= bytesMax ? bytes[..count]
                : throw CommandFailure.BadInput($"{file} is too large: it may have {ShownText.Number(bytesMax)} bytes.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw CommandFailure.BadInput(e is FileNotFoundException or DirectoryNotFoundException
                ? $"There is no file {file}." : $"{file} cannot be read: {e.Message}", e);
        }
    }
}
