// NrfEcb.cs: the AES block of the nRF52840 (Product Specification v1.7, 6.8): AES-128 of one block that it reads from and
// writes to RAM, in no time; and its failures, for tests.
using System;
using System.Security.Cryptography;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public sealed class NrfEcb : IDoubleWordPeripheral, IKnownSize
    {
        public NrfEcb(IMachine machine)
        {
            this.machine = machine;
            IRQ = new GPIO();
            Reset();
        }

        public void Reset()
        {
            ended = false;
            failed = false;
            interrupt = 0;
            pointer = 0;
            IRQ.Set(false);
        }

        public uint ReadDoubleWord(long offset)
        {
            switch((Register)offset)
            {
            case Register.EventsEnd:
                return ended ? 1u : 0u;
            case Register.EventsError:
                return failed ? 1u : 0u;
            case Register.InterruptSet:
            case Register.InterruptClear:
                return interrupt;
            case Register.DataPointer:
                return pointer;
            default:
                return 0;
            }
        }

        public void WriteDoubleWord(long offset, uint data)
        {
            switch((Register)offset)
            {
            case Register.TasksStart:
                if(data == 1)
                {
                    Encrypt();
                }
                break;
            case Register.TasksStop:
                break; // nothing is ever under way between two instructions
            case Register.EventsEnd:
                ended = data != 0;
                break;
            case Register.EventsError:
                failed = data != 0;
                break;
            case Register.InterruptSet:
                interrupt |= data & 3;
                break;
            case Register.InterruptClear:
                interrupt &= ~data & 3;
                break;
            case Register.DataPointer:
                pointer = data;
                break;
            default:
                this.Log(LogLevel.Warning, "Write of 0x{0:X} to unknown register 0x{1:X}", data, offset);
                break;
            }
            Signal();
        }

        // From the after-th block since now on: "works", "wrong" (one bit of each result is), "once" (the same, of that one
        // block), "idle" (says that it has ended, and has written nothing), "taken" (the radio interrupts each block) or
        // "silent" (never ends).
        public void Fault(string kind, uint after)
        {
            fault = kind;
            faultAt = Blocks + after;
        }

        // Blocks since the machine was made, failed ones too.
        public ulong Blocks { get; private set; }

        public GPIO IRQ { get; private set; }

        public long Size
        {
            get { return 0x1000; }
        }

        private void Encrypt()
        {
            var kind = Blocks < faultAt || (fault == "once" && Blocks > faultAt) ? "works" : fault;
            Blocks++;
            if(kind == "silent")
            {
                return;
            }
            if(kind == "taken")
            {
                failed = true;
                return;
            }
            if(pointer < RamStart || pointer + BlockBytes > RamEnd || (pointer & 3) != 0)
            {
                this.Log(LogLevel.Error, "DMA at 0x{0:X}: no aligned address in RAM", pointer);
                failed = true;
                return;
            }
            if(kind != "idle")
            {
                var key = machine.SystemBus.ReadBytes(pointer, 16);
                var clear = machine.SystemBus.ReadBytes(pointer + 16, 16);
                using(var aes = Aes.Create())
                {
                    aes.Mode = CipherMode.ECB;
                    aes.Padding = PaddingMode.None;
                    using(var encryptor = aes.CreateEncryptor(key, new byte[16]))
                    {
                        var cipher = encryptor.TransformFinalBlock(clear, 0, 16);
                        if(kind != "works")
                        {
                            cipher[7] ^= 0x20;
                        }
                        machine.SystemBus.WriteBytes(cipher, pointer + 32);
                    }
                }
            }
            ended = true;
        }

        private void Signal()
        {
            IRQ.Set((ended && (interrupt & 1) != 0) || (failed && (interrupt & 2) != 0));
        }

        private readonly IMachine machine;
        private string fault = "works";
        private ulong faultAt;
        private bool ended;
        private bool failed;
        private uint interrupt;
        private uint pointer;

        private const uint RamStart = 0x20000000;
        private const uint RamEnd = 0x20040000;
        private const uint BlockBytes = 48;

        private enum Register : long
        {
            TasksStart = 0x000,
            TasksStop = 0x004,
            EventsEnd = 0x100,
            EventsError = 0x104,
            InterruptSet = 0x304,
            InterruptClear = 0x308,
            DataPointer = 0x504,
        }
    }
}
