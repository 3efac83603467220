using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Values;

namespace SyncEngine.Tests.Laws;

/// <summary>What one kind of record brings to the join laws: a random operation on it, and all that it reads as.</summary>
public sealed record KindOperations(RecordKind Kind, Action<Records, string, Random> Operate)
{
    public static readonly IReadOnlyList<KindOperations> All =
    [
        new(RecordKind.Register, static (records, key, random) =>
        {
            if (random.Next(4) == 0) records.Delete(key);
            else records.Put(key, random.Next(5));
        }),
        new(RecordKind.Counter, static (records, key, random) =>
        {
            if (random.Next(6) == 0) records.Counter(key).Reset();
            else records.Counter(key).Add(random.Next(8) == 0 ? long.MaxValue : random.Next(-5, 6));
        }),
        new(RecordKind.Max, static (records, key, random) =>
        {
            if (random.Next(6) == 0) records.Max(key).Reset();
            else records.Max(key).Raise(Number(random));
        }),
        new(RecordKind.Min, static (records, key, random) =>
        {
            if (random.Next(6) == 0) records.Min(key).Reset();
            else records.Min(key).Lower(Number(random));
        }),
        new(RecordKind.Set, static (records, key, random) =>
        {
            Value element = "e" + random.Next(4);
            if (random.Next(12) == 0) records.Set(key).Clear();
            else if (random.Next(3) == 0) records.Set(key).Remove(element);
            else records.Set(key).Add(element);
        }),
        new(RecordKind.Map, static (records, key, random) =>
        {
            string field = "f" + random.Next(4);
            if (random.Next(12) == 0) records.Map(key).Clear();
            else records.Map(key)[field] = random.Next(3) == 0 ? Value.Missing : random.Next(5);
        }),
        new(RecordKind.List, static (records, key, random) =>
        {
            ListRecord list = records.List(key);
            int count = list.Count, choice = random.Next(10);
            if (choice < 4 || count == 0) list.Insert(random.Next(count + 1), random.Next(100));
            else if (choice < 6) list.Move(random.Next(count), random.Next(count));
            else if (choice < 8) list.RemoveAt(random.Next(count));
            else list[random.Next(count)] = random.Next(100);
        }),
    ];

    public static KindOperations Of(RecordKind kind) => All.Single(operations => operations.Kind == kind);

    /// <summary>Everything an app can read, as text: equal replicas must print the same.</summary>
    public static string Read(Dataset dataset)
    {
        var lines = new List<string>();
        foreach (RecordName record in dataset.Records)
        {
            string value = record.Kind switch
            {
                RecordKind.Register => dataset[record.Key].ToString(),
                RecordKind.Counter => dataset.Counter(record.Key).ToString(),
                RecordKind.Max => dataset.Max(record.Key).ToString(),
                RecordKind.Min => dataset.Min(record.Key).ToString(),
                RecordKind.Set => string.Join(',', dataset.Set(record.Key).ToArray()),
                RecordKind.Map => string.Join(',', dataset.Map(record.Key).ToArray()),
                _ => string.Join(',', dataset.List(record.Key).ToArray()),
            };
            lines.Add($"{record} = {value}");
        }

        foreach (Conflict conflict in dataset.Conflicts)
            lines.Add($"{conflict.Key} {conflict.Field} {conflict.Winner} {string.Join(',', conflict.Losers)}");
        return string.Join('\n', lines);
    }

    private static Value Number(Random random) =>
        random.Next(2) == 0 ? (Value)random.Next(-9, 9) : random.Next(-18, 18) / 2.0;
}
