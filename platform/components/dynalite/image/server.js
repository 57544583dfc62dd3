// dynalite, with what its own command lacks: a certificate of the platform, clients that show one, and an end when it is told.
//
// It looks at no signature and no key of a request. Who has a certificate of this CA with a name of DYNALITE_CLIENTS is let in,
// and nobody else.
'use strict'

const { readFileSync, rmSync } = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const dynalite = require('dynalite')

const { DYNALITE_HOST, DYNALITE_PORT, DYNALITE_PROBE_PORT, DYNALITE_ADMIN_PORT } = process.env
const { DYNALITE_CERTIFICATE, DYNALITE_DATA, DYNALITE_CLIENTS } = process.env
const clients = new Set(DYNALITE_CLIENTS.split(','))
const file = (name) => readFileSync(path.join(DYNALITE_CERTIFICATE, name))

const server = dynalite({
  path: DYNALITE_DATA,
  createTableMs: 0,
  ssl: true,
  key: file('tls.key'),
  cert: file('tls.crt'),
  ca: file('ca.crt'),
  minVersion: 'TLSv1.3',
  requestCert: true,
  rejectUnauthorized: true,
})

server.on('secureConnection', (socket) => {
  const name = socket.getPeerCertificate().subject?.CN
  if (!clients.has(name)) {
    console.error('refused: a certificate of %s', name)
    socket.destroy()
  }
})

const listen = () => server.listen(Number(DYNALITE_PORT), DYNALITE_HOST)

// What is held open ends at once; what was begun in the store comes to its end.
function close (then) {
  server.close(then)
  server.closeAllConnections()
}

// For the node: it listens, and its store is open.
const probes = http.createServer((_request, response) => {
  response.statusCode = server.listening ? 200 : 503
  response.end()
})

// On loopback, for this container: forget everything, which is what a reset does.
const admin = http.createServer((request, response) => {
  if (request.method !== 'POST' || request.url !== '/forget') {
    response.statusCode = 404
    response.end()
    return
  }
  close((error) => {
    if (error) throw error
    rmSync(DYNALITE_DATA, { recursive: true, force: true })
    server.once('listening', () => response.end())
    listen()
  })
})

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => close((error) => process.exit(error ? 1 : 0)))
}

probes.listen(Number(DYNALITE_PROBE_PORT), DYNALITE_HOST)
admin.listen(Number(DYNALITE_ADMIN_PORT), '127.0.0.1')
listen()
