// The smallest service of its kind: sessions are contexts of node:vm. `node service.js LIBRARY` prints its port.
'use strict'
const { randomUUID } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { createServer } = require('node:http')
const vm = require('node:vm')

const library = new vm.Script(readFileSync(process.argv[2], 'utf8'))
const sessions = new Map()

const routes = {
  'GET /api/v1/health': () => ({ status: 'ok' }),
  'POST /api/v1/sessions'() {
    const id = randomUUID()
    const context = vm.createContext({})
    library.runInContext(context)
    sessions.set(id, context)
    return { id }
  },
  'POST /api/v1/executions/repl'({ session_id: id, input }) {
    return { status: 'ok', result: vm.runInContext(input, sessions.get(id), { timeout: 30_000 }) }
  },
}

const server = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    const answer = JSON.stringify(routes[`${request.method} ${request.url}`](body === '' ? {} : JSON.parse(body)))
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) })
    response.end(answer)
  })
})
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
