using SyncEngine.Datasets;
using SyncEngine.Values;

namespace SyncEngine.Testing;

/// <summary>What devices write where the app does not say: every kind of record, few keys, so that writes meet.</summary>
internal static class RandomWrites
{
    private const int KeysMax = 6;

    public static void Write(Dataset dataset, Random random)
    {
        if (random.Next(4) > 0) WriteOne(dataset, random);
        else dataset.Write(w =>
        {
            for (int i = random.Next(2, 8); i > 0; i--) WriteOne(w, random);
        });
    }

    private static void WriteOne(Records records, Random random)
    {
        string key = "k" + random.Next(KeysMax);
        switch (random.Next(10))
        {
            case 0 or 1: records.Put(key, "a text of " + random.Next(1000) + new string('.', random.Next(60))); break;
            case 2: records.Delete(key); break;
            case 3 or 4: records.Counter(key).Add(random.Next(-9, 10)); break;
            case 5: WriteExtreme(records, key, random); break;
            case 6: WriteSet(records.Set(key), random); break;
            case 7: records.Map(key)["f" + random.Next(4)] = random.Next(3) == 0 ? Value.Missing : random.Next(1000); break;
            default: WriteList(records.List(key), random); break;
        }
    }

    private static void WriteExtreme(Records records, string key, Random random)
    {
        if (random.Next(8) == 0) records.Counter(key).Reset();
        else if (random.Next(2) == 0) records.Max(key).Raise(random.Next(1000));
        else records.Min(key).Lower(random.Next(1000));
    }

    private static void WriteSet(SetRecord set, Random random)
    {
        Value element = "e" + random.Next(4);
        if (random.Next(12) == 0) set.Clear();
        else if (random.Next(3) == 0) set.Remove(element);
        else set.Add(element);
    }

    private static void WriteList(ListRecord list, Random random)
    {
        int count = list.Count, choice = random.Next(10);
        if (choice < 4 || count == 0) list.Insert(random.Next(count + 1), random.Next(1000));
        else if (choice < 6) list.Move(random.Next(count), random.Next(count));
        else if (choice < 8) list.RemoveAt(random.Next(count));
        else list[random.Next(count)] = random.Next(1000);
    }
}
