import { readFileSync } from 'node:fs'
import { SMTPClient } from 'emailjs'

const { HOST, PORT, WAY, CA, SMTP_USER, PASSWORD, SENDER, RECIPIENT, SUBJECT, BODY } = process.env
const ca = readFileSync(CA)
const client = new SMTPClient({ user: SMTP_USER, password: PASSWORD, host: HOST, port: Number(PORT),
  ssl: WAY === 'implicit' && { ca }, tls: WAY === 'starttls' && { ca } })
await client.sendAsync({ from: SENDER, to: RECIPIENT, subject: SUBJECT, text: BODY })
