// NrfRtc.cs: Renode's RTC of the nRF52840, whose counter is right also for a core that doesn't sleep: Renode's own tells such
// a core the time of its last synchronisation, which may be a whole quantum (10 ms) ago.
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Timers;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public sealed class NrfRtc : NRF52840_RTC, IDoubleWordPeripheral
    {
        public NrfRtc(IMachine machine, int numberOfEvents) : base(machine, numberOfEvents)
        {
            this.machine = machine;
        }

        public new uint ReadDoubleWord(long offset)
        {
            if(offset == Counter && machine.SystemBus.TryGetCurrentCPU(out var cpu))
            {
                ((BaseCPU)cpu).SyncTime();
            }
            return base.ReadDoubleWord(offset);
        }

        private readonly IMachine machine;

        private const long Counter = 0x504;
    }
}
