namespace SyncEngine.Causality;

/// <summary>
/// One step of a replica's line: from <paramref name="FirstCounter"/> on, its changes were written by the opening of
/// the
/// file that drew <paramref name="Stamp"/>. Two copies of one file draw different stamps, which tells them apart.
/// </summary>
/// <param name="FirstCounter">The counter of the opening's first change.</param>
/// <param name="Stamp">64 random bits, drawn by the opening before that change.</param>
public readonly record struct Opening(long FirstCounter, ulong Stamp);
