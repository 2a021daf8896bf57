// Observer.cs: looks in at the places that the firmware marks for it (hosts/common/harness.h).
//
// At pc_harness_stop the device is halted, so that a run ends at an exact instruction however long it was asked to go on;
// Continue lets it go on. At each pc_mark the instruction count is noted. At the n-th pc_flash_step of a board without a
// flash controller of its own the power is cut.
using System;
using System.Collections.Generic;
using System.Linq;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;

namespace Antmicro.Renode.Peripherals.Pericard
{
    // Sits on the bus only because Renode resets and names what is on a bus; it answers nothing.
    public sealed class Observer : IDoubleWordPeripheral, IKnownSize
    {
        public Observer(IMachine machine, TranslationCPU cpu, PowerSupply supply)
        {
            this.machine = machine;
            this.cpu = cpu;
            this.supply = supply;
            supply.Restarted += source =>
            {
                executedBefore += executedAtReset;
                executedAtReset = 0;
                if(source == ResetSource.PowerOn)
                {
                    executedBefore = 0;
                    marks.Clear();
                }
            };
        }

        public void Reset()
        {
        }

        // Where the firmware resets itself: the core's own count starts over there.
        public void ResetAt(ulong address)
        {
            cpu.AddHook(address, (core, pc) => executedAtReset = cpu.ExecutedInstructions);
        }

        // Since power-on; a reset by a watchdog or by the button loses what ran since the last one.
        public ulong Executed
        {
            get { return executedBefore + cpu.ExecutedInstructions; }
        }

        public void StopAt(ulong address)
        {
            cpu.AddHook(address, (core, pc) =>
            {
                if(Stopped)
                {
                    return;
                }
                Stopped = true;
                cpu.SyncTime();
                StoppedAtMicroseconds = (ulong)machine.ElapsedVirtualTime.TimeElapsed.TotalMicroseconds;
                cpu.IsHalted = true;
            });
        }

        public void MarkAt(ulong address)
        {
            cpu.AddHook(address, (core, pc) => marks.Add(Executed));
        }

        public void CutAt(ulong address)
        {
            cpu.AddHook(address, (core, pc) =>
            {
                if(stepsLeft != 0 && --stepsLeft == 0)
                {
                    supply.Cut();
                }
            });
        }

        public void Continue()
        {
            if(Stopped)
            {
                Stopped = false;
                cpu.IsHalted = false;
            }
        }

        public string Marks()
        {
            return string.Join(",", marks.Select(mark => mark.ToString()));
        }

        // All that a driver asks after each slice, in one answer: "on" or "off", then the microsecond of a stop or "running".
        public string State()
        {
            return (supply.Lost ? "off " : "on ") + (Stopped ? StoppedAtMicroseconds.ToString() : "running");
        }

        public bool Stopped { get; private set; }

        public ulong StoppedAtMicroseconds { get; private set; }

        // Counted from when it is set; 0: never.
        public ulong PowerCutAt
        {
            get { return stepsLeft; }
            set { stepsLeft = value; }
        }

        public uint ReadDoubleWord(long offset)
        {
            return 0;
        }

        public void WriteDoubleWord(long offset, uint value)
        {
        }

        public long Size
        {
            get { return 4; }
        }

        private readonly IMachine machine;
        private readonly TranslationCPU cpu;
        private readonly PowerSupply supply;
        private readonly List<ulong> marks = new List<ulong>();
        private ulong stepsLeft;
        private ulong executedBefore;
        private ulong executedAtReset;
    }
}
