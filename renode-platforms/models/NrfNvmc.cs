// NrfNvmc.cs: the flash controller of the nRF52840 (Product Specification v1.7, 4.3).
//
// Enforces what the silicon does: nothing is written without WEN, nothing erased without EEN, a program can only clear
// bits, a word stands two programs between erases, and the CPU stands still meanwhile (41 us a word, 85 ms a page).
// PowerCutAt = n takes the power away in the middle of the n-th flash operation from now (a programmed word is one
// operation, an erased page is one however it is sliced): some bits have changed and some have not.
using System;
using System.Collections.Generic;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public sealed class NrfNvmc : IDoubleWordPeripheral, IKnownSize, INorFlashController
    {
        public NrfNvmc(IMachine machine, PowerSupply supply, NorFlash storage, ulong storageAddress, NorFlash uicr)
        {
            this.machine = machine;
            this.supply = supply;
            this.storage = storage;
            this.storageAddress = storageAddress;
            this.uicr = uicr;
            storage.Controller = this;
            uicr.Controller = this;
            Seed = 1;
            Reset();
        }

        public void Reset()
        {
            mode = Mode.Read;
            partialMilliseconds = 10;
            cacheConfiguration = 0;
        }

        public uint ReadDoubleWord(long offset)
        {
            switch((Register)offset)
            {
            case Register.Ready:
            case Register.ReadyNext:
                return 1; // the CPU stood still until now
            case Register.Config:
                return (uint)mode;
            case Register.ErasePagePartialConfig:
                return partialMilliseconds;
            case Register.InstructionCacheConfig:
                return cacheConfiguration;
            default:
                return 0;
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            switch((Register)offset)
            {
            case Register.Config:
                mode = (Mode)(value & 3);
                break;
            case Register.ErasePage:
                Erase(value, PageMilliseconds);
                break;
            case Register.ErasePagePartial:
                Erase(value, partialMilliseconds);
                break;
            case Register.ErasePagePartialConfig:
                partialMilliseconds = value & 0x7F;
                break;
            case Register.EraseUicr:
                if(value == 1 && MayErase("UICR"))
                {
                    EraseSector(uicr, 0, PageMilliseconds);
                }
                break;
            case Register.EraseAll:
                Fault("ERASEALL would take the program that runs: not modelled");
                break;
            case Register.InstructionCacheConfig:
                cacheConfiguration = value;
                break;
            default:
                this.Log(LogLevel.Warning, "Write of 0x{0:X} to unknown register 0x{1:X}", value, offset);
                break;
            }
        }

        public void Program(NorFlash flash, long offset, uint value)
        {
            if(supply.Lost)
            {
                return;
            }
            if(mode != Mode.Write)
            {
                Fault("Program at offset 0x{0:X} without write enable", offset);
                return;
            }
            if((offset & 3) != 0)
            {
                Fault("Program of an unaligned word at offset 0x{0:X}", offset);
                return;
            }
            var old = flash.ReadDoubleWord(offset);
            if((old & value) != value)
            {
                Fault("Program at offset 0x{0:X} asks to set bits: 0x{1:X8} over 0x{2:X8}", offset, value, old);
            }
            if(unfinished.ContainsKey(flash.Content.Length + offset / flash.Sector))
            {
                Fault("Program at offset 0x{0:X} in a page whose erase was not finished", offset);
            }
            if(++flash.Writes[offset / 4] > WritesPerWord)
            {
                Fault("Word at offset 0x{0:X} programmed {1} times since its erase", offset, flash.Writes[offset / 4]);
            }
            finished = 0;
            if(Torn())
            {
                flash.Preset(offset, old & (value | Noise()));
                supply.Cut();
                return;
            }
            flash.Preset(offset, old & value);
            StandStill(WordMicroseconds);
        }

        // Flash operations since the emulation began.
        public ulong Operations { get; private set; }

        // Counted from when it is set; 0: never.
        public ulong PowerCutAt
        {
            get { return cutAt == 0 ? 0 : cutAt - Operations; }
            set { cutAt = value == 0 ? 0 : Operations + value; }
        }

        // What a torn operation leaves is drawn from this.
        public uint Seed { get; set; }

        // Everything that the silicon would refuse or suffer from.
        public uint Faults { get; private set; }

        public string LastFault { get; private set; }

        public long Size
        {
            get { return 0x1000; }
        }

        private bool MayErase(string what)
        {
            if(supply.Lost)
            {
                return false;
            }
            if(mode != Mode.Erase)
            {
                Fault("Erase of {0} without erase enable", what);
                return false;
            }
            return true;
        }

        private void Erase(uint address, uint milliseconds)
        {
            if(!MayErase(string.Format("0x{0:X}", address)))
            {
                return;
            }
            if(address < storageAddress || address >= storageAddress + (ulong)storage.Size || address % storage.Sector != 0)
            {
                Fault("Erase of 0x{0:X}: no page of the storage area", address);
                return;
            }
            EraseSector(storage, (int)(address - storageAddress), milliseconds);
        }

        private void EraseSector(NorFlash flash, int offset, uint milliseconds)
        {
            var page = flash.Content.Length + offset / flash.Sector;
            if(page == finished && milliseconds < PageMilliseconds)
            {
                StandStill(milliseconds * 1000); // slices beyond what was needed change nothing
                return;
            }
            uint spent;
            if(!unfinished.TryGetValue(page, out spent))
            {
                finished = 0;
                // The first slice is the operation: from here on the old content can't be relied on.
                var torn = Torn();
                Scramble(flash, offset);
                if(torn)
                {
                    supply.Cut();
                    return;
                }
            }
            spent += milliseconds;
            unfinished[page] = spent;
            if(spent >= PageMilliseconds)
            {
                unfinished.Remove(page);
                finished = page;
                for(var i = 0; i < flash.Sector; i++)
                {
                    flash.Content[offset + i] = 0xFF;
                }
                Array.Clear(flash.Writes, offset / 4, flash.Sector / 4);
                flash.EraseCounts[offset / flash.Sector]++;
            }
            StandStill(milliseconds * 1000);
        }

        private void Scramble(NorFlash flash, int offset)
        {
            // Cells drift towards 1 each in its own time; some words are still whole, which is what makes this dangerous.
            for(var i = 0; i < flash.Sector; i += 4)
            {
                var kind = Noise() % 3;
                var old = flash.ReadDoubleWord(offset + i);
                flash.Preset(offset + i, kind == 0 ? old : kind == 1 ? 0xFFFFFFFF : old | Noise());
            }
        }

        private bool Torn()
        {
            Operations++;
            if(cutAt == 0 || Operations != cutAt)
            {
                return false;
            }
            cutAt = 0;
            return true;
        }

        // xorshift32: the same tears for the same seed, whatever else draws random numbers in the emulation.
        private uint Noise()
        {
            var x = Seed == 0 ? 1 : Seed;
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            Seed = x;
            return x;
        }

        private void StandStill(uint microseconds)
        {
            ICPU cpu;
            if(!machine.SystemBus.TryGetCurrentCPU(out cpu))
            {
                return;
            }
            var core = cpu as BaseCPU;
            if(core != null)
            {
                core.SkipTime(TimeInterval.FromMicroseconds(microseconds));
            }
        }

        private void Fault(string format, params object[] arguments)
        {
            Faults++;
            LastFault = string.Format(format, arguments);
            this.Log(LogLevel.Warning, LastFault);
        }

        private readonly IMachine machine;
        private readonly PowerSupply supply;
        private readonly NorFlash storage;
        private readonly ulong storageAddress;
        private readonly NorFlash uicr;
        // Milliseconds that a page has been erased for, by the size of its memory (which tells them apart) plus its number.
        private readonly Dictionary<long, uint> unfinished = new Dictionary<long, uint>();
        // The page that the last operation erased to the end; 0 once something else was done.
        private long finished;
        private Mode mode;
        private uint partialMilliseconds;
        private uint cacheConfiguration;
        private ulong cutAt;

        private const uint WordMicroseconds = 41;
        private const uint PageMilliseconds = 85;
        private const int WritesPerWord = 2;

        private enum Mode
        {
            Read = 0,
            Write = 1,
            Erase = 2,
        }

        private enum Register : long
        {
            Ready = 0x400,
            ReadyNext = 0x408,
            Config = 0x504,
            ErasePage = 0x508,
            EraseAll = 0x50C,
            EraseUicr = 0x514,
            ErasePagePartial = 0x518,
            ErasePagePartialConfig = 0x51C,
            InstructionCacheConfig = 0x540,
        }
    }
}
