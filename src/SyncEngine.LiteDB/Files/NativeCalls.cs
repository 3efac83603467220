using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace SyncEngine.LiteDB.Files;

/// <summary>What .NET has no call for: syncing a folder, and telling a file from its copy.</summary>
/// <remarks>
/// Every call degrades to nothing where the platform lacks it: the folder is not synced (Windows journals renames
/// itself), a file has no identity.
/// </remarks>
internal static class NativeCalls
{
    private const int StatxBasicAndBirthTime = 0x7ff | 0x800;
    private const int StatxInode = 0x100;
    private const int AtEmptyPath = 0x1000;

    /// <summary>Makes the folder's entries durable; a failure of the disk is an <see cref="IOException"/>.</summary>
    public static void SyncFolder(string folder)
    {
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows)) return;
        try
        {
            var descriptor = OpenDescriptor(Terminated(folder), 0);
            if (descriptor < 0) throw new IOException($"The folder {folder} cannot be opened to sync it.", LastError());
            var failed = Sync(descriptor) != 0;
            var error = LastError();
            _ = CloseDescriptor(descriptor);

            // EINVAL and ENOTSUP: a file system that cannot sync folders, where there is nothing more to do.
            if (failed && error is not (22 or 95 or 45)) throw new IOException($"Syncing {folder} failed.", error);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // No libc by that name: a sandboxed platform, whose file systems order a rename after the file's sync.
        }
    }

    /// <summary>
    /// Bytes that differ between a file and any copy of it; null where the platform has no such thing.
    /// </summary>
    public static byte[]? FileIdentity(FileStream stream)
    {
        try
        {
            if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows)) return WindowsIdentity(stream.SafeFileHandle);
            if (RuntimeInformation.IsOSPlatform(OSPlatform.OSX)) return AppleIdentity(stream.Name);
            return RuntimeInformation.IsOSPlatform(OSPlatform.Linux) ? LinuxIdentity(stream.SafeFileHandle) : null;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Bytes that name this machine; null where the platform keeps them from apps.</summary>
    public static byte[]? MachineIdentity()
    {
        try
        {
            if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows)) return WindowsMachine();
            if (RuntimeInformation.IsOSPlatform(OSPlatform.OSX)) return AppleMachine();
            foreach (var path in new[] { "/etc/machine-id", "/var/lib/dbus/machine-id" })
            {
                if (File.Exists(path)) return Encoding.ASCII.GetBytes(File.ReadAllText(path).Trim());
            }
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or IOException
            or UnauthorizedAccessException)
        {
            return null;
        }

        return null;
    }

    private static int LastError() => Marshal.GetLastWin32Error();

    private static byte[]? LinuxIdentity(SafeFileHandle handle)
    {
        var status = new byte[256];
        if (Statx(handle, Terminated(""), AtEmptyPath, StatxBasicAndBirthTime, status) != 0) return null;
        var mask = BinaryPrimitives.ReadInt32LittleEndian(status);

        // The birth time alone where there is one: the kernel sets it, no tool can, and it outlives remounts of file
        // systems that number their files anew each time.
        if ((mask & 0x800) != 0) return Tagged((byte)'b', status.AsSpan(80, 12));
        return (mask & StatxInode) != 0 ? Tagged((byte)'i', status.AsSpan(32, 8)) : null;
    }

    private static byte[]? AppleIdentity(string path)
    {
        var status = new byte[256];
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64
            ? AppleStatX64(Terminated(path), status) != 0
            : AppleStat(Terminated(path), status) != 0)
        {
            return null;
        }

        return Tagged((byte)'i', status.AsSpan(8, 8));
    }

    private static byte[]? WindowsIdentity(SafeFileHandle handle)
    {
        // Not the creation time: Windows hands a deleted file's creation time to its successor of the same name.
        var status = new byte[52];
        if (!GetFileInformationByHandle(handle, status)) return null;
        var identity = new byte[12];
        status.AsSpan(28, 4).CopyTo(identity);
        status.AsSpan(44, 8).CopyTo(identity.AsSpan(4));
        return Tagged((byte)'w', identity);
    }

    private static byte[]? WindowsMachine()
    {
        var value = new byte[128];
        var length = value.Length;
        const int localMachine = unchecked((int)0x80000002);
        const int stringsOnly = 0x2;
        const int in64BitView = 0x00010000;
        return RegGetValue(new IntPtr(localMachine), @"SOFTWARE\Microsoft\Cryptography", "MachineGuid",
            stringsOnly | in64BitView, IntPtr.Zero, value, ref length) == 0
            ? value.AsSpan(0, Math.Min(length, value.Length)).ToArray()
            : null;
    }

    private static byte[]? AppleMachine()
    {
        var id = new byte[16];
        return GetHostUuid(id, new long[2]) == 0 ? id : null;
    }

    private static byte[] Terminated(string path) => Encoding.UTF8.GetBytes(path + "\0");

    private static byte[] Tagged(byte tag, ReadOnlySpan<byte> bytes)
    {
        var tagged = new byte[bytes.Length + 1];
        tagged[0] = tag;
        bytes.CopyTo(tagged.AsSpan(1));
        return tagged;
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int OpenDescriptor(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int CloseDescriptor(int descriptor);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int Statx(SafeFileHandle folder, byte[] path, int flags,
        int mask, byte[] status);

    [DllImport("libc", EntryPoint = "stat", SetLastError = true)]
    private static extern int AppleStat(byte[] path, byte[] status);

    [DllImport("libc", EntryPoint = "stat$INODE64", SetLastError = true)]
    private static extern int AppleStatX64(byte[] path, byte[] status);

    [DllImport("libc", EntryPoint = "gethostuuid", SetLastError = true)]
    private static extern int GetHostUuid(byte[] id, long[] wait);

    [DllImport("kernel32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool GetFileInformationByHandle(SafeFileHandle handle, byte[] status);

    [DllImport("advapi32.dll", EntryPoint = "RegGetValueW", CharSet = CharSet.Unicode)]
    private static extern int RegGetValue(IntPtr key, string subKey, string value, int flags, IntPtr type, byte[] data,
        ref int length);
}
