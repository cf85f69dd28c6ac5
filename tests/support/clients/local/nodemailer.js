const { SENDER, RECIPIENT, SUBJECT, BODY } = process.env
const transport = require('/usr/share/nodejs/nodemailer').createTransport({ sendmail: true })
transport.sendMail({ from: SENDER, to: RECIPIENT, subject: SUBJECT, text: BODY })
  .catch((error) => { console.error(error.message); process.exitCode = 1 })
