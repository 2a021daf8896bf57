// NrfUarte.cs: the UARTE of the nRF52840 (Product Specification v1.7, 6.34): EasyDMA both ways, a receive FIFO, RTS.
//
// Renode's own model has no baud rate, no short-cuts and an endless FIFO; this one makes a byte take its time, so that a
// handler that is too slow loses bytes here as it does on the chip when the line has no flow control.
using System.Collections.Generic;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public sealed class NrfUarte : SerialLine, IDoubleWordPeripheral, IKnownSize
    {
        public NrfUarte(IMachine machine) : base(machine)
        {
            IRQ = new GPIO();
        }

        public override void Reset()
        {
            base.Reset();
            registers.Clear();
            fifo.Clear();
            receiverOn = false;
            transferring = false;
            Update();
        }

        public uint ReadDoubleWord(long offset)
        {
            switch((Register)offset)
            {
            case Register.InterruptEnableSet:
            case Register.InterruptEnableClear:
                return Stored(Register.InterruptEnable);
            case Register.ReceiveAmount:
                return lastAmount;
            default:
                return Stored((Register)offset);
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            switch((Register)offset)
            {
            case Register.StartReceive:
                if(value == 1 && Enabled)
                {
                    StartReceive();
                }
                break;
            case Register.StopReceive:
                if(value == 1 && receiverOn)
                {
                    receiverOn = false;
                    EndTransfer();
                    Raise(Register.ReceiveTimedOut);
                }
                break;
            case Register.FlushReceive:
                if(value == 1)
                {
                    amount = 0;
                    address = Stored(Register.ReceivePointer);
                    while(fifo.Count > 0 && amount < Stored(Register.ReceiveMaximum))
                    {
                        Store(fifo.Dequeue());
                    }
                    EndTransfer();
                }
                break;
            case Register.StartTransmit:
                if(value == 1 && Enabled)
                {
                    Raise(Register.TransmitStarted);
                    var count = (int)Stored(Register.TransmitMaximum);
                    Send(machine.SystemBus.ReadBytes(Stored(Register.TransmitPointer), count));
                }
                break;
            case Register.StopTransmit:
                StopSending();
                Raise(Register.TransmitStopped);
                break;
            case Register.InterruptEnableSet:
                registers[(long)Register.InterruptEnable] = Stored(Register.InterruptEnable) | value;
                break;
            case Register.InterruptEnableClear:
                registers[(long)Register.InterruptEnable] = Stored(Register.InterruptEnable) & ~value;
                break;
            case Register.ErrorSource:
                registers[offset] = Stored(Register.ErrorSource) & ~value;
                break;
            case Register.Enable:
                registers[offset] = value;
                if(!Enabled)
                {
                    receiverOn = false;
                    transferring = false;
                    fifo.Clear();
                }
                break;
            default:
                registers[offset] = value;
                break;
            }
            Update();
        }

        public override uint BaudRate
        {
            get
            {
                // BAUDRATE = baud x 2^32 / 16 MHz, rounded to what the divider makes of it.
                return (uint)((ulong)Stored(Register.Baud) * 16000000 + (1ul << 31) >> 32);
            }
        }

        public GPIO IRQ { get; private set; }

        public long Size
        {
            get { return 0x1000; }
        }

        protected override bool Listening
        {
            get { return Enabled && (receiverOn || fifo.Count > 0); }
        }

        protected override bool HasRoom
        {
            // With flow control RTS goes up while there is still room for what is on its way.
            get { return fifo.Count < (FlowControl ? FifoSize - OnTheirWay : FifoSize); }
        }

        protected override void Received(byte value)
        {
            fifo.Enqueue(value);
            Raise(Register.ReceiveReady);
            Drain();
            Update();
        }

        protected override void Overrun()
        {
            registers[(long)Register.ErrorSource] = Stored(Register.ErrorSource) | 1;
            Raise(Register.Error);
            Update();
        }

        protected override void Sent()
        {
            registers[(long)Register.TransmitAmount] = Stored(Register.TransmitMaximum);
            Raise(Register.TransmitReady);
            Raise(Register.EndTransmit);
            Update();
        }

        private void StartReceive()
        {
            receiverOn = true;
            transferring = true;
            amount = 0;
            address = Stored(Register.ReceivePointer);
            Raise(Register.ReceiveStarted);
            Drain();
            Pump();
        }

        private void Drain()
        {
            while(transferring && fifo.Count > 0)
            {
                Store(fifo.Dequeue());
                if(amount >= Stored(Register.ReceiveMaximum))
                {
                    EndTransfer();
                    if((Stored(Register.Shortcuts) & EndReceiveToStartReceive) != 0)
                    {
                        StartReceive();
                    }
                }
            }
        }

        private void Store(byte value)
        {
            machine.SystemBus.WriteByte(address++, value);
            amount++;
        }

        private void EndTransfer()
        {
            if(!transferring && amount == 0)
            {
                Raise(Register.EndReceive);
                lastAmount = 0;
                return;
            }
            transferring = false;
            lastAmount = amount;
            amount = 0;
            Raise(Register.EndReceive);
        }

        private bool Enabled
        {
            get { return (Stored(Register.Enable) & 0xF) == 8; }
        }

        private uint Stored(Register register)
        {
            uint value;
            return registers.TryGetValue((long)register, out value) ? value : register == Register.Baud ? 0x04000000u : 0;
        }

        private void Raise(Register register)
        {
            registers[(long)register] = 1;
        }

        private void Update()
        {
            // An event at 0x100 + 4 n has interrupt bit n.
            var enabled = Stored(Register.InterruptEnable);
            var pending = false;
            for(var bit = 0; bit < 23; bit++)
            {
                uint value;
                pending |= (enabled & (1u << bit)) != 0 && registers.TryGetValue(0x100 + 4 * bit, out value) && value != 0;
            }
            IRQ.Set(pending);
        }

        private readonly Dictionary<long, uint> registers = new Dictionary<long, uint>();
        private readonly Queue<byte> fifo = new Queue<byte>();
        private bool receiverOn;
        private bool transferring;
        private uint address;
        private uint amount;
        private uint lastAmount;

        private const int FifoSize = 6;
        private const int OnTheirWay = 4;
        private const uint EndReceiveToStartReceive = 1u << 5;

        private enum Register : long
        {
            StartReceive = 0x000,
            StopReceive = 0x004,
            StartTransmit = 0x008,
            StopTransmit = 0x00C,
            FlushReceive = 0x02C,
            ReceiveReady = 0x108,
            EndReceive = 0x110,
            TransmitReady = 0x11C,
            EndTransmit = 0x120,
            Error = 0x124,
            ReceiveTimedOut = 0x144,
            ReceiveStarted = 0x14C,
            TransmitStarted = 0x150,
            TransmitStopped = 0x158,
            Shortcuts = 0x200,
            InterruptEnable = 0x300,
            InterruptEnableSet = 0x304,
            InterruptEnableClear = 0x308,
            ErrorSource = 0x480,
            Enable = 0x500,
            Baud = 0x524,
            ReceivePointer = 0x534,
            ReceiveMaximum = 0x538,
            ReceiveAmount = 0x53C,
            TransmitPointer = 0x544,
            TransmitMaximum = 0x548,
            TransmitAmount = 0x54C,
        }
    }
}
