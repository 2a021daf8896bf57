// NrfPower.cs: CLOCK and POWER of the nRF52840, which share one address (Product Specification v1.7, 5.3 and 5.4).
//
// Clocks start at once. RESETREAS gathers the reason of each reset until the firmware clears it; GPREGRET keeps its value
// over a reset. Both are 0 after a loss of power.
using System.Collections.Generic;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Timers;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public sealed class NrfPower : IDoubleWordPeripheral, IKnownSize
    {
        public NrfPower(IMachine machine, PowerSupply supply, NRF52840_Watchdog watchdog)
        {
            IRQ = new GPIO();
            supply.Restarted += NoteReset;
            watchdog.LimitReached += () => supply.Expect(ResetSource.Watchdog);
        }

        public void Reset()
        {
            registers.Clear();
            highFrequencyRunning = false;
            lowFrequencyRunning = false;
            IRQ.Unset();
        }

        public uint ReadDoubleWord(long offset)
        {
            switch((Register)offset)
            {
            case Register.ResetReason:
                return ResetReason;
            case Register.Retained:
                return retained;
            case Register.Retained2:
                return retained2;
            case Register.HighFrequencyStatus:
                return highFrequencyRunning ? Running | 1u : Running; // the RC oscillator runs on demand
            case Register.LowFrequencyRun:
                return lowFrequencyRunning ? 1u : 0u;
            case Register.LowFrequencyStatus:
                return lowFrequencyRunning ? Running | (Stored(Register.LowFrequencySource) & 3) : 0;
            case Register.MainRegulatorStatus:
                return 1; // normal voltage mode
            default:
                return Stored((Register)offset);
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            switch((Register)offset)
            {
            case Register.StartHighFrequency:
                highFrequencyRunning = true;
                registers[(long)Register.HighFrequencyStarted] = 1;
                break;
            case Register.StopHighFrequency:
                highFrequencyRunning = false;
                break;
            case Register.StartLowFrequency:
                lowFrequencyRunning = true;
                registers[(long)Register.LowFrequencyStarted] = 1;
                break;
            case Register.StopLowFrequency:
                lowFrequencyRunning = false;
                break;
            case Register.InterruptSet:
                registers[(long)Register.InterruptSet] = Stored(Register.InterruptSet) | value;
                break;
            case Register.InterruptClear:
                registers[(long)Register.InterruptSet] = Stored(Register.InterruptSet) & ~value;
                break;
            case Register.ResetReason:
                ResetReason &= ~value;
                break;
            case Register.Retained:
                retained = value & 0xFF;
                break;
            case Register.Retained2:
                retained2 = value & 0xFF;
                break;
            default:
                registers[offset] = value;
                break;
            }
            var enabled = Stored(Register.InterruptSet);
            IRQ.Set(((enabled & 1) != 0 && Stored(Register.HighFrequencyStarted) != 0)
                || ((enabled & 2) != 0 && Stored(Register.LowFrequencyStarted) != 0));
        }

        public uint ResetReason { get; set; }

        public GPIO IRQ { get; private set; }

        public long Size
        {
            get { return 0x1000; }
        }

        private uint Stored(Register register)
        {
            uint value;
            return registers.TryGetValue((long)register, out value) ? value : 0;
        }

        private void NoteReset(ResetSource source)
        {
            switch(source)
            {
            case ResetSource.PowerOn:
                ResetReason = 0;
                retained = 0;
                retained2 = 0;
                break;
            case ResetSource.Pin:
                ResetReason |= 1 << 0;
                break;
            case ResetSource.Watchdog:
                ResetReason |= 1 << 1;
                break;
            case ResetSource.Software:
                ResetReason |= 1 << 2;
                break;
            case ResetSource.Lockup:
                ResetReason |= 1 << 3;
                break;
            }
        }

        private readonly Dictionary<long, uint> registers = new Dictionary<long, uint>();
        private bool highFrequencyRunning;
        private bool lowFrequencyRunning;
        private uint retained;
        private uint retained2;

        private const uint Running = 1u << 16;

        private enum Register : long
        {
            StartHighFrequency = 0x000,
            StopHighFrequency = 0x004,
            StartLowFrequency = 0x008,
            StopLowFrequency = 0x00C,
            HighFrequencyStarted = 0x100,
            LowFrequencyStarted = 0x104,
            InterruptSet = 0x304,
            InterruptClear = 0x308,
            ResetReason = 0x400,
            HighFrequencyStatus = 0x40C,
            LowFrequencyRun = 0x414,
            LowFrequencyStatus = 0x418,
            Retained = 0x51C,
            Retained2 = 0x520,
            LowFrequencySource = 0x518,
            MainRegulatorStatus = 0x640,
        }
    }
}
