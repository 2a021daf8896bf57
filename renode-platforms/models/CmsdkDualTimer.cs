// CmsdkDualTimer.cs: the dual timer of Arm's Cortex-M System Design Kit (DDI 0479, 4.5): two down-counters, each free
// running, periodic or one-shot.
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public sealed class CmsdkDualTimer : IDoubleWordPeripheral, IKnownSize
    {
        public CmsdkDualTimer(IMachine machine, uint frequency)
        {
            IRQ = new GPIO();
            for(var i = 0; i < counters.Length; i++)
            {
                counters[i] = new Counter(machine, this, i, frequency);
            }
        }

        public void Reset()
        {
            foreach(var counter in counters)
            {
                counter.Reset();
            }
            Update();
        }

        public uint ReadDoubleWord(long offset)
        {
            return offset < 0x40 ? counters[offset / 0x20].Read(offset % 0x20) : 0;
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(offset < 0x40)
            {
                counters[offset / 0x20].Write(offset % 0x20, value);
                Update();
            }
        }

        public GPIO IRQ { get; private set; }

        public long Size
        {
            get { return 0x1000; }
        }

        private void Update()
        {
            IRQ.Set(counters[0].Pending || counters[1].Pending);
        }

        private readonly Counter[] counters = new Counter[2];

        private sealed class Counter
        {
            public Counter(IMachine machine, CmsdkDualTimer owner, int number, uint frequency)
            {
                this.machine = machine;
                this.frequency = frequency;
                timer = new LimitTimer(machine.ClockSource, frequency, owner, "counter" + number, limit: Wrap, eventEnabled: true);
                timer.LimitReached += () =>
                {
                    held = 0;
                    raw = true;
                    owner.Update();
                };
                Reset();
            }

            public void Reset()
            {
                timer.Reset();
                control = 0x20;
                load = 0;
                held = uint.MaxValue;
                raw = false;
            }

            public uint Read(long offset)
            {
                switch(offset)
                {
                case 0x00:
                case 0x18:
                    return load;
                case 0x04:
                    return Value;
                case 0x08:
                    return control;
                case 0x10:
                    return raw ? 1u : 0u;
                case 0x14:
                    return Pending ? 1u : 0u;
                default:
                    return 0;
                }
            }

            public void Write(long offset, uint value)
            {
                switch(offset)
                {
                case 0x00:
                    load = value;
                    held = value;
                    Start();
                    break;
                case 0x08:
                    held = Value;
                    control = value & 0xEF;
                    var prescale = (control >> 2) & 3;
                    timer.Frequency = frequency >> (prescale == 0 ? 0 : prescale == 1 ? 4 : 8);
                    Start();
                    break;
                case 0x0C:
                    raw = false;
                    break;
                case 0x18:
                    load = value;
                    break;
                }
            }

            public bool Pending
            {
                get { return raw && (control & 0x20) != 0; }
            }

            private uint Value
            {
                get
                {
                    if(!timer.Enabled)
                    {
                        return held;
                    }
                    ICPU cpu;
                    if(machine.SystemBus.TryGetCurrentCPU(out cpu))
                    {
                        cpu.SyncTime();
                    }
                    return (uint)timer.Value;
                }
            }

            private void Start()
            {
                ICPU cpu;
                if(machine.SystemBus.TryGetCurrentCPU(out cpu))
                {
                    cpu.SyncTime();
                }
                var oneShot = (control & 1) != 0;
                var periodic = (control & 0x40) != 0;
                timer.Enabled = false;
                if((control & 0x80) == 0)
                {
                    return;
                }
                var top = (control & 2) != 0 ? Wrap : 0x10000;
                var value = held % top;
                timer.Mode = oneShot ? WorkMode.OneShot : WorkMode.Periodic;
                // A free-running counter goes on from its top: that is what periodic means with the whole range as period.
                timer.Limit = oneShot || periodic ? (load % top == 0 ? 1 : load % top) : top;
                timer.Value = value == 0 || value > timer.Limit ? timer.Limit : value;
                timer.Enabled = true;
            }

            private readonly IMachine machine;
            private readonly LimitTimer timer;
            private readonly uint frequency;
            private uint control;
            private uint load;
            private uint held; // the count while the counter stands
            private bool raw;

            private const ulong Wrap = 1ul << 32;
        }
    }
}
