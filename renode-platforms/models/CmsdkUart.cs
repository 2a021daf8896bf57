// CmsdkUart.cs: the UART of Arm's Cortex-M System Design Kit (DDI 0479, 4.3): one byte of buffer each way.
//
// The peer waits while the receive buffer is full. Sending takes no time, as in QEMU's model of the same UART, so that one
// image says the same at the same moment in both.
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public sealed class CmsdkUart : SerialLine, IDoubleWordPeripheral, IKnownSize
    {
        public CmsdkUart(IMachine machine, uint frequency) : base(machine)
        {
            this.frequency = frequency;
            Transmit = new GPIO();
            Receive = new GPIO();
        }

        public override void Reset()
        {
            base.Reset();
            control = 0;
            divider = 0;
            full = false;
            overrun = false;
            pending = 0;
            Update();
        }

        public uint ReadDoubleWord(long offset)
        {
            switch((Register)offset)
            {
            case Register.Data:
                full = false;
                Pump();
                return data;
            case Register.State:
                return (full ? 2u : 0u) | (overrun ? 8u : 0u);
            case Register.Control:
                return control;
            case Register.Interrupt:
                return pending;
            case Register.Divider:
                return divider;
            default:
                return 0;
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            switch((Register)offset)
            {
            case Register.Data:
                if((control & TransmitEnable) != 0)
                {
                    Emit((byte)value);
                    pending |= (control & TransmitInterrupt) != 0 ? 1u : 0u;
                }
                break;
            case Register.State:
                overrun &= (value & 8) == 0;
                break;
            case Register.Control:
                control = value & 0x7F;
                Pump();
                break;
            case Register.Interrupt:
                pending &= ~value;
                break;
            case Register.Divider:
                divider = value & 0xFFFFF;
                break;
            }
            Update();
        }

        public override uint BaudRate
        {
            get { return divider == 0 ? 0 : frequency / divider; }
        }

        public GPIO Transmit { get; private set; }

        public GPIO Receive { get; private set; }

        public long Size
        {
            get { return 0x1000; }
        }

        protected override bool Listening
        {
            get { return (control & ReceiveEnable) != 0; }
        }

        protected override bool HasRoom
        {
            get { return !full; }
        }

        protected override void Received(byte value)
        {
            data = value;
            full = true;
            pending |= (control & ReceiveInterrupt) != 0 ? 2u : 0u;
            Update();
        }

        protected override void Overrun()
        {
            overrun = true;
        }

        protected override void Sent()
        {
        }

        private void Update()
        {
            Transmit.Set((pending & 1) != 0);
            Receive.Set((pending & 2) != 0);
        }

        private readonly uint frequency;
        private uint control;
        private uint divider;
        private uint pending;
        private uint data;
        private bool full;
        private bool overrun;

        private const uint TransmitEnable = 1;
        private const uint ReceiveEnable = 2;
        private const uint TransmitInterrupt = 4;
        private const uint ReceiveInterrupt = 8;

        private enum Register : long
        {
            Data = 0x00,
            State = 0x04,
            Control = 0x08,
            Interrupt = 0x0C,
            Divider = 0x10,
        }
    }
}
