// By address: it resolves no name on a machine whose only interface is the loopback one, as in this namespace.
const { HOST, PORT, WAY, CA, SMTP_USER, PASSWORD, SENDER, RECIPIENT, SUBJECT, BODY } = process.env
const transport = require('/usr/share/nodejs/nodemailer').createTransport({
  host: '127.0.0.1', port: Number(PORT), secure: WAY === 'implicit', requireTLS: WAY === 'starttls', lmtp: WAY === 'lmtp',
  auth: { user: SMTP_USER, pass: PASSWORD }, tls: { servername: HOST, ca: require('fs').readFileSync(CA) } })
transport.sendMail({ from: SENDER, to: RECIPIENT, subject: SUBJECT, text: BODY })
  .catch((error) => { console.error(error.message); process.exitCode = 1 })
