// SerialLine.cs: what is common to the UARTs of all boards: a peer that sends at the baud rate and waits when told to.
//
// Bytes for the device are queued, by the monitor (FeedFile) or by a terminal (WriteChar), and arrive in emulated time:
// one a byte time, and only while the receiver has room if the line has flow control. So what the firmware sees depends
// on emulated time alone, never on how fast the host is. A driver that sends by Send() is told when the bytes' time on the wire is over.
using System;
using System.Collections.Generic;
using System.IO;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Peripherals.UART;
using Antmicro.Renode.Time;
using Antmicro.Renode.Utilities;

namespace Antmicro.Renode.Peripherals.Pericard
{
    public abstract class SerialLine : IUART
    {
        protected SerialLine(IMachine machine)
        {
            this.machine = machine;
            receiveTimer = new LimitTimer(machine.ClockSource, 1000000, this, "receive", limit: uint.MaxValue, workMode: WorkMode.OneShot, eventEnabled: true);
            receiveTimer.LimitReached += Deliver;
            sendTimer = new LimitTimer(machine.ClockSource, 1000000, this, "send", limit: uint.MaxValue, workMode: WorkMode.OneShot, eventEnabled: true);
            sendTimer.LimitReached += () =>
            {
                sending = false;
                Sent();
            };
        }

        public virtual void Reset()
        {
            // Bytes on their way stay: the peer does not know of the reset.
            receiving = false;
            sending = false;
            receiveTimer.Reset();
            sendTimer.Reset();
        }

        public void WriteChar(byte value)
        {
            lock(queue)
            {
                queue.Enqueue(value);
            }
            machine.LocalTimeSource.ExecuteInNearestSyncedState(_ => Pump());
        }

        // Queues the bytes of a file; they arrive one byte time apart.
        public void FeedFile(ReadFilePath path)
        {
            foreach(var value in File.ReadAllBytes(path))
            {
                queue.Enqueue(value);
            }
            Pump();
        }

        public void DropQueued()
        {
            queue.Clear();
        }

        // Bytes that the peer still has.
        public int Queued
        {
            get { return queue.Count; }
        }

        // Bytes that came while the receiver had no room, on a line without flow control.
        public uint Overruns { get; private set; }

        // Tests of the receiver's own limits set this false; by default the peer waits as one with RTS/CTS does.
        public bool FlowControl { get; set; } = true;

        public abstract uint BaudRate { get; }

        public Bits StopBits
        {
            get { return Bits.One; }
        }

        public Parity ParityBit
        {
            get { return Parity.None; }
        }

        public event Action<byte> CharReceived;

        // True if the device's receiver is on.
        protected abstract bool Listening { get; }

        // True if it can take a byte now.
        protected abstract bool HasRoom { get; }

        protected abstract void Received(byte value);

        protected abstract void Overrun();

        // The last byte of a Send has left.
        protected abstract void Sent();

        protected void Send(byte[] bytes)
        {
            foreach(var value in bytes)
            {
                Emit(value);
            }
            sending = true;
            Start(sendTimer, (ulong)bytes.Length);
        }

        // At once, without a time of its own.
        protected void Emit(byte value)
        {
            var handler = CharReceived;
            if(handler != null)
            {
                handler(value);
            }
        }

        protected void StopSending()
        {
            sending = false;
            sendTimer.Enabled = false;
        }

        protected bool Sending
        {
            get { return sending; }
        }

        // To be called whenever the receiver may have got room.
        protected void Pump()
        {
            if(receiving || queue.Count == 0 || !Listening || (FlowControl && !HasRoom))
            {
                return;
            }
            receiving = true;
            Start(receiveTimer, 1);
        }

        private void Deliver()
        {
            receiving = false;
            if(queue.Count == 0)
            {
                return;
            }
            if(!Listening)
            {
                return; // keeps the byte: whoever opens the port next gets it
            }
            if(HasRoom)
            {
                Received(queue.Dequeue());
            }
            else if(!FlowControl)
            {
                queue.Dequeue();
                Overruns++;
                Overrun();
            }
            Pump();
        }

        private void Start(LimitTimer timer, ulong bytes)
        {
            // A start bit, eight bits, a stop bit.
            var rate = BaudRate == 0 ? 115200 : BaudRate;
            timer.Enabled = false;
            timer.Frequency = rate;
            timer.Limit = bytes * 10;
            timer.Value = bytes * 10;
            timer.Enabled = true;
        }

        protected readonly IMachine machine;
        private readonly Queue<byte> queue = new Queue<byte>();
        private readonly LimitTimer receiveTimer;
        private readonly LimitTimer sendTimer;
        private bool receiving;
        private bool sending;
    }
}
