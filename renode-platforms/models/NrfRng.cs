// NrfRng.cs: the random number generator of the nRF52840 (Product Specification v1.7, 6.19): a byte each 120 us while it
// runs, out of a seed of its own, so that a run can be repeated; and its failures, for tests.
using System;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public sealed class NrfRng : IDoubleWordPeripheral, IKnownSize
    {
        public NrfRng(IMachine machine)
        {
            IRQ = new GPIO();
            timer = new LimitTimer(machine.ClockSource, 1000000, this, "byte", limit: MicrosecondsAByte, eventEnabled: true);
            timer.LimitReached += Produce;
            Seed = 1;
            Reset();
        }

        public void Reset()
        {
            // The noise goes on: a reset does not rewind a source.
            timer.Reset();
            ready = false;
            interrupt = 0;
            shorts = 0;
            configuration = 0;
            IRQ.Set(false);
        }

        public uint ReadDoubleWord(long offset)
        {
            switch((Register)offset)
            {
            case Register.EventsValueReady:
                return ready ? 1u : 0u;
            case Register.Shorts:
                return shorts;
            case Register.InterruptSet:
            case Register.InterruptClear:
                return interrupt;
            case Register.Configuration:
                return configuration;
            case Register.Value:
                return value;
            default:
                return 0;
            }
        }

        public void WriteDoubleWord(long offset, uint data)
        {
            switch((Register)offset)
            {
            case Register.TasksStart:
                timer.Enabled = timer.Enabled || data == 1;
                break;
            case Register.TasksStop:
                timer.Enabled = timer.Enabled && data != 1;
                break;
            case Register.EventsValueReady:
                ready = data != 0;
                break;
            case Register.Shorts:
                shorts = data & 1;
                break;
            case Register.InterruptSet:
                interrupt |= data & 1;
                break;
            case Register.InterruptClear:
                interrupt &= ~data & 1;
                break;
            case Register.Configuration:
                configuration = data & 1;
                break;
            default:
                this.Log(LogLevel.Warning, "Write of 0x{0:X} to unknown register 0x{1:X}", data, offset);
                break;
            }
            IRQ.Set(ready && interrupt != 0);
        }

        // "works", "stuck" (the same byte for ever), "biased" (only two bits of a byte are noise) or "absent" (no bytes),
        // from the after-th byte since now on.
        public void Fault(string kind, uint after)
        {
            fault = kind;
            faultAt = given + after;
        }

        public ulong Seed
        {
            get { return state; }
            set { state = Spread(value); }
        }

        public GPIO IRQ { get; private set; }

        public long Size
        {
            get { return 0x1000; }
        }

        private void Produce()
        {
            var kind = given < faultAt ? "works" : fault;
            if(kind == "absent")
            {
                return;
            }
            given++;
            value = Next();
            if(kind != "works")
            {
                value = kind == "biased" ? value & 3 : 0;
            }
            ready = true;
            if(shorts != 0)
            {
                timer.Enabled = false;
            }
            IRQ.Set(interrupt != 0);
        }

        // xorshift64* and splitmix64, as in hosts/common/emulated/noise.c.
        private uint Next()
        {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            return (uint)(unchecked(state * 0x2545F4914F6CDD1DUL) >> 56);
        }

        private static ulong Spread(ulong seed)
        {
            unchecked
            {
                var x = seed + 0x9E3779B97F4A7C15UL;
                x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
                x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
                x ^= x >> 31;
                return x == 0 ? 1 : x;
            }
        }

        private readonly LimitTimer timer;
        private ulong state;
        private string fault = "works";
        private ulong given;
        private ulong faultAt;
        private bool ready;
        private uint value;
        private uint interrupt;
        private uint shorts;
        private uint configuration;

        private const ulong MicrosecondsAByte = 120;

        private enum Register : long
        {
            TasksStart = 0x000,
            TasksStop = 0x004,
            EventsValueReady = 0x100,
            Shorts = 0x200,
            InterruptSet = 0x304,
            InterruptClear = 0x308,
            Configuration = 0x504,
            Value = 0x508,
        }
    }
}
