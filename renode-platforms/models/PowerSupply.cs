// PowerSupply.cs: the battery of the emulated device, for tests that take it out.
//
// Cut() is a loss of power: RAM holds noise afterwards, registers that survive a reset do not survive this, flash keeps
// its content. The device starts again at once, or with StaysOff when On() is called. Whoever must behave differently asks Lost (a flash controller has nothing
// to write with) or listens to Restarted. PressReset() is the reset button.
using System;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Memory;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public enum ResetSource
    {
        Software,
        PowerOn,
        Pin,
        Watchdog,
        Lockup,
    }

    // Sits on the bus only because Renode resets and names what is on a bus; it answers nothing.
    public sealed class PowerSupply : IDoubleWordPeripheral, IKnownSize
    {
        public PowerSupply(IMachine machine, MappedMemory ram)
        {
            this.machine = machine;
            this.ram = ram;
        }

        public void Cut()
        {
            if(Lost)
            {
                return;
            }
            Lost = true;
            Cuts++;
            this.Log(LogLevel.Info, "Power lost");
            if(StaysOff)
            {
                Expect(ResetSource.PowerOn);
            }
            else
            {
                Restart(ResetSource.PowerOn);
            }
        }

        // Power comes back after a cut with StaysOff.
        public void On()
        {
            if(Lost)
            {
                Restart(ResetSource.PowerOn);
            }
        }

        public void PressReset()
        {
            Restart(ResetSource.Pin);
        }

        // A reset with a reason that the device will be able to read.
        public void Restart(ResetSource source)
        {
            Expect(source);
            if(machine.IsPaused)
            {
                machine.Reset();
            }
            else
            {
                machine.RequestReset();
            }
        }

        // Somebody else resets the machine; it may take until the end of a time slice, and until then not one instruction
        // more may run.
        public void Expect(ResetSource source)
        {
            Next = source;
            foreach(var cpu in machine.SystemBus.GetCPUs())
            {
                cpu.IsHalted = true;
            }
        }

        public void Reset()
        {
            if(Lost)
            {
                ram.InitWithRandomData();
            }
            Lost = false;
            Last = Next;
            Next = ResetSource.Software;
            var handler = Restarted;
            if(handler != null)
            {
                handler(Last);
            }
            foreach(var cpu in machine.SystemBus.GetCPUs())
            {
                cpu.IsHalted = false;
            }
        }

        public uint ReadDoubleWord(long offset)
        {
            return 0;
        }

        public void WriteDoubleWord(long offset, uint value)
        {
        }

        public bool Lost { get; private set; }

        // After a cut the device waits for On() instead of starting again at once.
        public bool StaysOff { get; set; }

        public uint Cuts { get; private set; }

        // What the coming reset will be blamed on; a reset that nobody announces is the software's own.
        public ResetSource Next { get; set; }

        public ResetSource Last { get; private set; } = ResetSource.PowerOn;

        public long Size
        {
            get { return 4; }
        }

        public event Action<ResetSource> Restarted;

        private readonly IMachine machine;
        private readonly MappedMemory ram;
    }
}
