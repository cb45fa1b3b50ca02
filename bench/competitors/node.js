// Node as a contender: `node contender.js vm|processes|isolated LIBRARY`. It speaks as bench/src/contender/serve.rs does,
// and uses Node as a service would: contexts of node:vm, a process for each context, or isolates of isolated-vm.
'use strict'
const { fork } = require('node:child_process')
const { readFileSync } = require('node:fs')
const { createInterface } = require('node:readline')
const vm = require('node:vm')

const [mode, libraryPath] = process.argv.slice(2)
const library = readFileSync(libraryPath, 'utf8')

const contexts = () => {
  const script = new vm.Script(library)
  return {
    create() {
      const context = vm.createContext({})
      script.runInContext(context)
      return context
    },
    eval: (context, code) => vm.runInContext(code, context),
    stop: (context, code, timeout) => vm.runInContext(code, context, { timeout }),
    isTimeout: (error) => error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT',
  }
}

const isolates = () => {
  const ivm = require('isolated-vm')
  return {
    async create() {
      const isolate = new ivm.Isolate({ memoryLimit: 128 })
      const context = await isolate.createContext()
      await context.eval(library)
      return context
    },
    eval: (context, code) => context.eval(code),
    stop: (context, code, timeout) => context.eval(code, { timeout }),
    isTimeout: (error) => /timed out/.test(error.message),
  }
}

const processes = () => {
  const answer = (child, code) =>
    new Promise((resolve, reject) => {
      child.removeAllListeners()
      child.once('message', ({ value, error }) => (error === undefined ? resolve(value) : reject(new Error(error))))
      child.once('exit', () => reject(new Error('killed')))
      child.send(code)
    })
  return {
    async create() {
      const child = fork(__filename, ['process', libraryPath])
      await answer(child, '0')
      return child
    },
    eval: answer,
    stop(child, code, timeout) {
      setTimeout(() => child.kill('SIGKILL'), timeout)
      return answer(child, code)
    },
    isTimeout: (error) => error.message === 'killed',
  }
}

const serve = async ({ create, eval: evaluate, stop, isTimeout }) => {
  const kept = []
  const repeat = async (times, act) => {
    const micros = []
    let value
    for (let i = 0; i < times; i++) {
      const begin = performance.now()
      value = await act()
      micros.push((performance.now() - begin) * 1000)
    }
    return { took: { micros, value: typeof value === 'number' ? value : null } }
  }
  const answer = async ({ create: more, eval: run, stop: endless }) => {
    if (more) return repeat(more.count, async () => void kept.push(await create()))
    if (run) return repeat(run.times, () => evaluate(kept[0], run.code))
    const context = await create()
    const begin = performance.now()
    try {
      await stop(context, endless.code, endless.after_ms)
      return { cannot: 'it ended by itself' }
    } catch (error) {
      if (!isTimeout(error)) return { cannot: error.message }
      return { took: { micros: [(performance.now() - begin) * 1000], value: null } }
    }
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const answered = await answer(JSON.parse(line)).catch((error) => ({ failed: error.message }))
    process.stdout.write(JSON.stringify(answered) + '\n')
  }
  process.exit()
}

if (mode === 'process') {
  vm.runInThisContext(library)
  process.on('message', (code) => {
    try {
      process.send({ value: vm.runInThisContext(code) })
    } catch (error) {
      process.send({ error: error.message })
    }
  })
} else {
  serve({ vm: contexts, processes, isolated: isolates }[mode]())
}
