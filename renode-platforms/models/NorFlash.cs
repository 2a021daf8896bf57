// NorFlash.cs: NOR flash that keeps its content over every reset and loses it to nothing but an erase.
//
// Firmware writes go to the flash controller, which decides; without one the memory is read-only (a factory area).
// Loads by the monitor (LoadBinary, ReadBytes) and by a debugger see the plain bytes.
using System;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public interface INorFlashController
    {
        void Program(NorFlash flash, long offset, uint value);
    }

    public sealed class NorFlash : IBytePeripheral, IWordPeripheral, IDoubleWordPeripheral, IMultibyteWritePeripheral, IKnownSize
    {
        public NorFlash(IMachine machine, long size, int sector = 4096)
        {
            Content = new byte[size];
            Sector = sector;
            EraseCounts = new uint[size / sector];
            Writes = new byte[size / 4];
            for(var i = 0; i < Content.Length; i++)
            {
                Content[i] = 0xFF;
            }
        }

        public void Reset()
        {
            // A reset is not an erase.
        }

        public byte ReadByte(long offset)
        {
            return Content[offset];
        }

        public ushort ReadWord(long offset)
        {
            return BitConverter.ToUInt16(Content, (int)offset);
        }

        public uint ReadDoubleWord(long offset)
        {
            return BitConverter.ToUInt32(Content, (int)offset);
        }

        public void WriteByte(long offset, byte value)
        {
            Refuse(offset, "a byte");
        }

        public void WriteWord(long offset, ushort value)
        {
            Refuse(offset, "a half word");
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(Controller == null)
            {
                Refuse(offset, "a word without a flash controller");
                return;
            }
            Controller.Program(this, offset, value);
        }

        public byte[] ReadBytes(long offset, int count, IPeripheral context = null)
        {
            var bytes = new byte[count];
            Array.Copy(Content, offset, bytes, 0, count);
            return bytes;
        }

        public void WriteBytes(long offset, byte[] array, int startingIndex, int count, IPeripheral context = null)
        {
            Array.Copy(array, startingIndex, Content, offset, count);
        }

        // For platform descriptions: content that the factory wrote.
        public void Preset(long offset, uint value)
        {
            BitConverter.GetBytes(value).CopyTo(Content, (int)offset);
        }

        public uint EraseCount(long offset)
        {
            return EraseCounts[offset / Sector];
        }

        public byte[] Content { get; private set; }

        public int Sector { get; private set; }

        public uint[] EraseCounts { get; private set; }

        // How often each word was programmed since its last erase.
        public byte[] Writes { get; private set; }

        public INorFlashController Controller { get; set; }

        public long Size
        {
            get { return Content.Length; }
        }

        public uint Refused { get; set; }

        private void Refuse(long offset, string what)
        {
            Refused++;
            this.Log(LogLevel.Warning, "Refused to write {0} at offset 0x{1:X}", what, offset);
        }
    }
}
