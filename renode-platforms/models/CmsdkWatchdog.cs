// CmsdkWatchdog.cs: the watchdog of Arm's Cortex-M System Design Kit (DDI 0479, 4.6). The first time-out raises NMI, a
// second one before it is cleared resets.
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.IRQControllers;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public sealed class CmsdkWatchdog : IDoubleWordPeripheral, IKnownSize
    {
        public CmsdkWatchdog(IMachine machine, NVIC nvic, PowerSupply supply, uint frequency)
        {
            timer = new LimitTimer(machine.ClockSource, frequency, this, "watchdog", limit: uint.MaxValue, workMode: WorkMode.Periodic, eventEnabled: true);
            timer.LimitReached += () =>
            {
                if(raw && (control & 2) != 0)
                {
                    supply.Restart(ResetSource.Watchdog);
                }
                else if((control & 1) != 0)
                {
                    raw = true;
                    nvic.SetPendingIRQ(NonMaskable);
                }
            };
            Reset();
        }

        public void Reset()
        {
            timer.Reset();
            control = 0;
            raw = false;
            unlocked = true;
            load = uint.MaxValue;
        }

        public uint ReadDoubleWord(long offset)
        {
            switch(offset)
            {
            case 0x000:
                return load;
            case 0x004:
                return (uint)timer.Value;
            case 0x008:
                return control;
            case 0x010:
                return raw ? 1u : 0u;
            case 0x014:
                return raw && (control & 1) != 0 ? 1u : 0u;
            case 0xC00:
                return unlocked ? 0u : 1u;
            default:
                return 0;
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(offset == 0xC00)
            {
                unlocked = value == 0x1ACCE551;
                return;
            }
            if(!unlocked)
            {
                return;
            }
            switch(offset)
            {
            case 0x000:
                load = value;
                Reload();
                break;
            case 0x008:
                var was = control;
                control = value & 3;
                if((was & 1) == 0 && (control & 1) != 0)
                {
                    Reload();
                }
                timer.Enabled = (control & 1) != 0;
                break;
            case 0x00C:
                raw = false;
                Reload();
                break;
            }
        }

        public long Size
        {
            get { return 0x1000; }
        }

        private void Reload()
        {
            timer.Limit = load == 0 ? 1 : load;
            timer.Value = timer.Limit;
        }

        private readonly LimitTimer timer;
        private uint load;
        private uint control;
        private bool raw;
        private bool unlocked;

        private const int NonMaskable = 2;
    }
}
