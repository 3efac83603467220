using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Values;

namespace SyncEngine.Hub.Merging;

/// <summary>Writes what a dataset showed at another time, over what it shows now: never by dropping anything, always by a
/// later write.</summary>
internal static class Readings
{
    /// <summary>Makes a dataset show what another one shows, record by record.</summary>
    public static void Restore(Transaction target, Dataset now, Dataset shown)
    {
        foreach (RecordName name in Names(now, shown)) Restore(target, name, shown);
    }

    /// <summary>Takes back what made <paramref name="after"/> of <paramref name="before"/>, where nobody has changed it
    /// since; counters lose what they gained.</summary>
    /// <returns>How many records were changed.</returns>
    public static int Revert(Transaction target, Dataset now, Dataset before, Dataset after)
    {
        int changed = 0;
        foreach (RecordName name in Names(before, after))
        {
            if (Same(name, before, after)) continue;
            if (name.Kind == RecordKind.Counter)
                target.Counter(name.Key).Add(before.Counter(name.Key).Value - after.Counter(name.Key).Value);
            else if (name.Kind == RecordKind.Map) RevertMap(target, name.Key, now, before, after);
            else if (name.Kind == RecordKind.Set) RevertSet(target, name.Key, before, after);
            else if (Same(name, now, after)) Restore(target, name, before);
            else continue;
            changed++;
        }

        return changed;
    }

    private static SortedSet<RecordName> Names(Dataset left, Dataset right) => [.. left.Records, .. right.Records];

    private static void Restore(Transaction target, RecordName name, Dataset shown)
    {
        string key = name.Key;
        switch (name.Kind)
        {
            case RecordKind.Register:
                if (target[key] != shown[key]) target.Put(key, shown[key]);
                break;
            case RecordKind.Counter:
                long difference = shown.Counter(key).Value - target.Counter(key).Value;
                if (difference != 0) target.Counter(key).Add(difference);
                break;
            case RecordKind.Max:
                if (target.Max(key).Value == shown.Max(key).Value) break;
                target.Max(key).Reset();
                if (!shown.Max(key).Value.IsMissing) target.Max(key).Raise(shown.Max(key).Value);
                break;
            case RecordKind.Min:
                if (target.Min(key).Value == shown.Min(key).Value) break;
                target.Min(key).Reset();
                if (!shown.Min(key).Value.IsMissing) target.Min(key).Lower(shown.Min(key).Value);
                break;
            case RecordKind.Set:
                IReadOnlyList<Value> here = target.Set(key).ToArray(), there = shown.Set(key).ToArray();
                foreach (Value element in here.Except(there)) target.Set(key).Remove(element);
                foreach (Value element in there.Except(here)) target.Set(key).Add(element);
                break;
            case RecordKind.Map:
                Dictionary<string, Value> fields = shown.Map(key).ToArray().ToDictionary(StringComparer.Ordinal);
                foreach ((string field, _) in target.Map(key).ToArray())
                    if (!fields.ContainsKey(field)) target.Map(key).Remove(field);
                foreach ((string field, Value value) in fields)
                    if (target.Map(key)[field] != value) SetField(target, key, field, value);
                break;
            default:
                if (target.List(key).ToArray().SequenceEqual(shown.List(key).ToArray())) break;
                target.List(key).Clear();
                foreach (Value element in shown.List(key).ToArray()) target.List(key).Add(element);
                break;
        }
    }

    private static void SetField(Transaction target, string key, string field, Value value)
    {
        MapRecord map = target.Map(key);
        map[field] = value;
    }

    private static void RevertMap(Transaction target, string key, Dataset now, Dataset before, Dataset after)
    {
        IEnumerable<string> fields = before.Map(key).ToArray().Concat(after.Map(key).ToArray()).Select(static pair => pair.Key);
        foreach (string field in fields.Distinct(StringComparer.Ordinal).ToList())
        {
            Value was = before.Map(key)[field], became = after.Map(key)[field];
            if (was == became || now.Map(key)[field] != became) continue;
            if (was.IsMissing) target.Map(key).Remove(field);
            else SetField(target, key, field, was);
        }
    }

    private static void RevertSet(Transaction target, string key, Dataset before, Dataset after)
    {
        IReadOnlyList<Value> was = before.Set(key).ToArray(), became = after.Set(key).ToArray();
        foreach (Value element in became.Except(was)) target.Set(key).Remove(element);
        foreach (Value element in was.Except(became)) target.Set(key).Add(element);
    }

    private static bool Same(RecordName name, Dataset left, Dataset right)
    {
        string key = name.Key;
        return name.Kind switch
        {
            RecordKind.Register => left[key] == right[key],
            RecordKind.Counter => left.Counter(key).Value == right.Counter(key).Value,
            RecordKind.Max => left.Max(key).Value == right.Max(key).Value,
            RecordKind.Min => left.Min(key).Value == right.Min(key).Value,
            RecordKind.Set => left.Set(key).ToArray().ToHashSet().SetEquals(right.Set(key).ToArray()),
            RecordKind.Map => left.Map(key).ToArray().OrderBy(static pair => pair.Key, StringComparer.Ordinal)
                .SequenceEqual(right.Map(key).ToArray().OrderBy(static pair => pair.Key, StringComparer.Ordinal)),
            _ => left.List(key).ToArray().SequenceEqual(right.List(key).ToArray()),
        };
    }
}
