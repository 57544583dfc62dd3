// Have the server of this container forget everything that it keeps.
'use strict'

fetch(`http://127.0.0.1:${process.env.DYNALITE_ADMIN_PORT}/forget`, { method: 'POST' }).then((answer) => {
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`)
})
