using System.Runtime.CompilerServices;

// Scratch space for keys is filled before it is read; clearing 256 bytes for each read and write costs more than the
// read.
[module: SkipLocalsInit]
