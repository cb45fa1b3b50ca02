// Martin Richards' simulation of an operating system's kernel: tasks that send each other packets.
(() => {
  const IDLE = 0, WORKER = 1, HANDLER_A = 2, HANDLER_B = 3, DEVICE_A = 4, DEVICE_B = 5
  const HAS_PACKET = 1, WAITING = 2, HELD = 4
  const FOR_DEVICE = 0, FOR_WORK = 1
  const DATA = 4

  class Packet {
    constructor(link, id, kind) {
      this.link = link
      this.id = id
      this.kind = kind
      this.datum = 0
      this.data = new Array(DATA).fill(0)
    }

    // Puts itself at the end of a queue; the queue.
    appendTo(queue) {
      this.link = null
      if (queue === null) return this
      let last = queue
      while (last.link !== null) last = last.link
      last.link = this
      return queue
    }
  }

  class Task {
    constructor(scheduler, id, priority, queue, state) {
      this.scheduler = scheduler
      this.id = id
      this.priority = priority
      this.queue = queue
      this.state = state
      this.link = scheduler.list
      scheduler.list = scheduler.tasks[id] = this
    }

    isStuck() {
      return (this.state & HELD) !== 0 || this.state === WAITING
    }

    takePacket() {
      if (this.state !== (WAITING | HAS_PACKET)) return null
      const packet = this.queue
      this.queue = packet.link
      this.state = this.queue === null ? 0 : HAS_PACKET
      return packet
    }

    // A packet has come for this task: the task that is to run next.
    accept(packet, sender) {
      if (this.queue !== null) {
        packet.appendTo(this.queue)
        return sender
      }
      this.queue = packet
      this.state |= HAS_PACKET
      return this.priority > sender.priority ? this : sender
    }
  }

  class Idle extends Task {
    constructor(scheduler, rounds) {
      super(scheduler, IDLE, 0, null, 0)
      this.seed = 1
      this.rounds = rounds
    }

    run() {
      if (--this.rounds === 0) return this.scheduler.holdCurrent()
      const isOdd = (this.seed & 1) !== 0
      this.seed = (this.seed >> 1) ^ (isOdd ? 0xd008 : 0)
      return this.scheduler.release(isOdd ? DEVICE_B : DEVICE_A)
    }
  }

  class Worker extends Task {
    handler = HANDLER_A
    letter = 0

    run(packet) {
      if (packet === null) return this.scheduler.waitCurrent()
      this.handler = HANDLER_A + HANDLER_B - this.handler
      packet.id = this.handler
      packet.datum = 0
      for (let i = 0; i < DATA; i++) {
        if (++this.letter > 26) this.letter = 1
        packet.data[i] = this.letter
      }
      return this.scheduler.send(packet)
    }
  }

  class Handler extends Task {
    work = null
    devices = null

    run(packet) {
      if (packet !== null) {
        if (packet.kind === FOR_WORK) this.work = packet.appendTo(this.work)
        else this.devices = packet.appendTo(this.devices)
      }
      const work = this.work
      if (work !== null) {
        const count = work.datum
        if (count >= DATA) {
          this.work = work.link
          return this.scheduler.send(work)
        }
        const device = this.devices
        if (device !== null) {
          this.devices = device.link
          device.datum = work.data[count]
          work.datum = count + 1
          return this.scheduler.send(device)
        }
      }
      return this.scheduler.waitCurrent()
    }
  }

  class Device extends Task {
    pending = null

    run(packet) {
      if (packet !== null) {
        this.pending = packet
        return this.scheduler.holdCurrent()
      }
      if (this.pending === null) return this.scheduler.waitCurrent()
      const pending = this.pending
      this.pending = null
      return this.scheduler.send(pending)
    }
  }

  class Scheduler {
    list = null
    tasks = []
    current = null
    sent = 0
    held = 0

    run() {
      this.current = this.list
      while (this.current !== null) {
        const task = this.current
        this.current = task.isStuck() ? task.link : task.run(task.takePacket())
      }
    }

    waitCurrent() {
      this.current.state |= WAITING
      return this.current
    }

    holdCurrent() {
      this.held++
      this.current.state |= HELD
      return this.current.link
    }

    release(id) {
      const task = this.tasks[id]
      task.state &= ~HELD
      return task.priority > this.current.priority ? task : this.current
    }

    send(packet) {
      const task = this.tasks[packet.id]
      this.sent++
      packet.link = null
      packet.id = this.current.id
      return task.accept(packet, this.current)
    }
  }

  const packets = (count, id, kind) => {
    let queue = null
    for (let i = 0; i < count; i++) queue = new Packet(queue, id, kind)
    return queue
  }
  const simulate = () => {
    const scheduler = new Scheduler()
    new Idle(scheduler, 1000)
    new Worker(scheduler, WORKER, 1000, packets(2, WORKER, FOR_WORK), WAITING | HAS_PACKET)
    new Handler(scheduler, HANDLER_A, 2000, packets(3, DEVICE_A, FOR_DEVICE), WAITING | HAS_PACKET)
    new Handler(scheduler, HANDLER_B, 3000, packets(3, DEVICE_B, FOR_DEVICE), WAITING | HAS_PACKET)
    new Device(scheduler, DEVICE_A, 4000, null, WAITING)
    new Device(scheduler, DEVICE_B, 5000, null, WAITING)
    scheduler.run()
    // what every correct implementation counts
    if (scheduler.sent !== 2322 || scheduler.held !== 928) throw new Error(`sent ${scheduler.sent}, held ${scheduler.held}`)
    return scheduler.sent + scheduler.held
  }
  let sum = 0
  for (let round = 0; round < 10; round++) sum += simulate()
  return sum
})()
