using System.Security.Cryptography;
using System.Text;
using MessagePack;
using Xunit;
using static SyncEngine.Tests.Golden.MessageReading;

namespace SyncEngine.Tests.Golden;

/// <summary>The golden messages say what docs/FORMAT.md says, read without the engine's own readers.</summary>
public sealed class MessageShapeTests
{
    private const string Guest = "11111111111111111111111111111111", Owner = "0123456789abcdeffedcba9876543210";

    private sealed record Hello(
        long Protocol, string Identity, bool Adopts, bool IsOpener, bool AsksProof, byte[] Nonce, long Time,
        string[]? Wanted);

    private sealed record Have(string Dataset, ulong[] Vector, ulong[][] Lines, ulong? Digest, Mark? Mark);

    private sealed record Mark(
        bool IsSnapshot, ulong[] Base, ulong[] To, ulong[][] Lines, ulong[] Seen, ulong Replica, ulong Counter, bool IsLast,
        bool IsStuck);

    [Fact]
    public void A_hello_is_an_array_of_8()
    {
        Hello opener = Read(Message("trace-first-sync", 7, isLeft: true), 7, ReadHello);
        Hello other = Read(Message("trace-first-sync", 7, isLeft: false), 7, ReadHello);
        Assert.Equivalent(new Hello(1, Guest, true, true, true, opener.Nonce, 1_700_000_005_000, ["save", "pre*"]), opener);
        Assert.Equivalent(new Hello(1, Owner, false, false, true, other.Nonce, 1_700_000_005_000, null), other);
        Assert.Equal((16, 16), (opener.Nonce.Length, other.Nonce.Length));
        Assert.NotEqual(opener.Nonce, other.Nonce);
    }

    [Fact]
    public void A_proof_is_the_hmac_of_role_binding_nonces_and_identity()
    {
        byte[] opener = Read(Message("trace-first-sync", 7, isLeft: true), 7, ReadHello).Nonce;
        byte[] other = Read(Message("trace-first-sync", 7, isLeft: false), 7, ReadHello).Nonce;
        foreach ((bool isLeft, byte role, string prover) in ((bool, byte, string)[])[(true, 1, Guest), (false, 2, Owner)])
        {
            byte[] said = Read(Message("trace-first-sync", 8, isLeft), 8, Binary);
            byte[] binding = TraceScenarios.ChannelBinding, identity = Encoding.UTF8.GetBytes(prover);
            byte[] proven = [role, .. binding, .. opener, .. other, .. identity];
            Assert.Equal(HMACSHA256.HashData(TraceScenarios.Secret, proven), said);
        }
    }

    [Fact]
    public void A_have_is_an_array_of_6_with_lines_in_the_order_of_the_vector()
    {
        Have have = Read(Message("trace-first-sync", 9, isLeft: true), 9, ReadHave);
        Assert.Equal("save", have.Dataset);
        Assert.Equal(2, have.Vector.Length);
        Assert.Equal(2ul, have.Vector[1]);
        ulong[] line = Assert.Single(have.Lines);
        Assert.Equal((2, 1ul), (line.Length, line[0]));
        Assert.NotNull(have.Digest);
        Assert.Null(have.Mark);
    }

    [Fact]
    public void A_mark_is_an_array_of_9_that_tells_where_the_last_part_ended()
    {
        foreach (string name in (string[])["trace-transfer", "trace-transfer-snapshot"])
        {
            bool isSnapshot = name == "trace-transfer-snapshot";
            Have[] told = [.. Messages(name, 9, isLeft: true).Select(static bytes => Read(bytes, 9, ReadHave))];
            Assert.All(told, have => Assert.Equal("save", have.Dataset));
            Assert.All(told, static have => Assert.Empty(have.Vector));
            Assert.All(told, static have => Assert.NotNull(have.Mark));
            Assert.All(told, have => Assert.Equal((isSnapshot, false), (have.Mark!.IsSnapshot, have.Mark.IsStuck)));
            Assert.All(told, static have => Assert.Empty(have.Mark!.Base));
            Assert.All(told, static have => Assert.Equal(11ul, have.Mark!.To[1]));
            Assert.Equal<ulong>([2, 4, 4, 6, 8], told[..^1].Select(static have => have.Mark!.Counter));
            Assert.Equal<ulong>([11, 11, 11, 14, 14, 14], told.Select(static have => have.Mark!.Seen[1]));
            Assert.Equal(told.Length - 1, Array.FindIndex(told, static have => have.Mark!.IsLast));
            Assert.Equal((ulong.MaxValue, (1ul << 47) - 1), (told[^1].Mark!.Replica, told[^1].Mark!.Counter));
        }
    }

    [Fact]
    public void An_acknowledgement_is_an_array_of_2_with_the_vector_that_is_durable()
    {
        Have own = Read(Message("trace-first-sync", 9, isLeft: true), 9, ReadHave);
        (string dataset, ulong[] vector) = Read(Message("trace-first-sync", 11, isLeft: false), 11, ReadAcknowledgement);
        Assert.Equal("save", dataset);
        Assert.Equal(4, vector.Length);
        Assert.Equal(own.Vector, vector[..2]);
        Assert.Equal(1ul, vector[3]);
    }

    [Fact]
    public void Told_and_farewell_are_these_bytes()
    {
        Assert.Equal("98010A000000C0C401C0C408AEE34D0AA88EE055", Hex(Message("trace-first-sync", 10, isLeft: true)));
        Assert.Equal("98010D000000C0C4039200A0C408BDC9CB28FAE054B0", Hex(Message("trace-first-sync", 13, isLeft: true)));
    }

    [Fact]
    public void A_farewell_for_a_reason_names_its_code()
    {
        (long code, string? reason) = Read(Messages("trace-refuse", 13, isLeft: false).Last(), 13,
            static (ref MessagePackReader reader) =>
            {
                ExpectArray(ref reader, 2);
                return (reader.ReadInt64(), reader.ReadString());
            });
        Assert.Equal(9, code);
        Assert.Contains("secret", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_is_an_array_of_3()
    {
        (string? dataset, long code, string? reason) = Read(Message("trace-refuse", 12, isLeft: true), 12,
            static (ref MessagePackReader reader) =>
            {
                ExpectArray(ref reader, 3);
                return (reader.ReadString(), reader.ReadInt64(), reader.ReadString());
            });
        Assert.Equal(("save", 3), (dataset, code));
        Assert.Contains("250", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_is_in_the_shortest_form()
    {
        foreach (string name in TraceScenarios.All.Keys)
            foreach ((_, byte[] bytes) in Trace.MessagesOf(TraceTests.Read(name))) AssertShortest(bytes);
    }

    private static void AssertShortest(byte[] frame) => Read(frame, frame[2], (ref MessagePackReader reader) =>
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        CopyShortest(ref reader, ref writer);
        writer.Flush();
        Assert.Equal(Hex(frame[9..^10]), Hex(buffer.WrittenSpan.ToArray()));
        return true;
    });

    private static Hello ReadHello(ref MessagePackReader reader)
    {
        ExpectArray(ref reader, 8);
        return new Hello(reader.ReadInt64(), reader.ReadString()!, reader.ReadBoolean(), reader.ReadBoolean(),
            reader.ReadBoolean(), Binary(ref reader), reader.ReadInt64(), ReadNames(ref reader));
    }

    private static string[]? ReadNames(ref MessagePackReader reader)
    {
        if (reader.TryReadNil()) return null;
        var names = new string[reader.ReadArrayHeader()];
        for (int i = 0; i < names.Length; i++) names[i] = reader.ReadString()!;
        return names;
    }

    private static Have ReadHave(ref MessagePackReader reader)
    {
        ExpectArray(ref reader, 6);
        string dataset = reader.ReadString()!;
        ulong[] vector = Unsigned(ref reader);
        ulong[][] lines = Lines(ref reader, vector.Length / 2);
        ulong? digest = reader.TryReadNil() ? null : reader.ReadUInt64();
        Mark? mark = reader.TryReadNil() ? null : ReadMark(ref reader);
        Assert.True(reader.TryReadNil());
        return new Have(dataset, vector, lines, digest, mark);
    }

    private static Mark ReadMark(ref MessagePackReader reader)
    {
        ExpectArray(ref reader, 9);
        bool isSnapshot = reader.ReadBoolean();
        ulong[] low = Unsigned(ref reader), to = Unsigned(ref reader);
        return new Mark(isSnapshot, low, to, Lines(ref reader, to.Length / 2), Unsigned(ref reader), reader.ReadUInt64(),
            reader.ReadUInt64(), reader.ReadBoolean(), reader.ReadBoolean());
    }

    private static (string Dataset, ulong[] Vector) ReadAcknowledgement(ref MessagePackReader reader)
    {
        ExpectArray(ref reader, 2);
        return (reader.ReadString()!, Unsigned(ref reader));
    }

    private static byte[] Message(string trace, byte type, bool isLeft) => Messages(trace, type, isLeft).First();

    private static IEnumerable<byte[]> Messages(string trace, byte type, bool isLeft) => Trace
        .MessagesOf(TraceTests.Read(trace)).Where(message => message.IsLeft == isLeft && message.Bytes[2] == type)
        .Select(static message => message.Bytes);

    private static string Hex(byte[] bytes) => Convert.ToHexString(bytes);
}
