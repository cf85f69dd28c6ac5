BEGIN TRANSACTION;
CREATE TABLE accounts(
  name TEXT PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  allowed_senders TEXT NOT NULL
, uid INTEGER, declared INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
INSERT INTO "accounts" VALUES('shop','tenant','$y$j9T$salt$hash','client.example',33,0);
INSERT INTO "accounts" VALUES('www','','','www@client.example',NULL,1);
CREATE TABLE idempotency_keys(
  account TEXT NOT NULL,
  key TEXT NOT NULL,
  digest BLOB NOT NULL,
  message INTEGER NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY(account, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "idempotency_keys" VALUES('shop','order-1',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F',1,1769860800000);
CREATE TABLE known_recipients(
  account TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  day INTEGER NOT NULL,
  PRIMARY KEY(account, fingerprint)
) STRICT, WITHOUT ROWID;
INSERT INTO "known_recipients" VALUES('shop',X'000102030405060708090A0B0C0D0E0F',20484);
CREATE TABLE messages(
  id INTEGER PRIMARY KEY,
  accepted INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  account TEXT NOT NULL,
  tenant TEXT NOT NULL,
  reverse_path TEXT,
  message_id TEXT NOT NULL,
  needs_8bit INTEGER NOT NULL,
  needs_smtputf8 INTEGER NOT NULL,
  spooled INTEGER NOT NULL,
  body_octets INTEGER NOT NULL,
  header BLOB NOT NULL,
  body BLOB
, sealing INTEGER NOT NULL DEFAULT 0, tls_request INTEGER NOT NULL DEFAULT 0, returned_content INTEGER NOT NULL DEFAULT 0, envelope_id TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "messages" VALUES(1,1769860800000,1770292800000,'shop','tenant','sender@client.example','<m1@client.example>',1,0,0,11,X'5375626A6563743A20310D0A',X'626F6479206F6620310D0A',1,1,1,'QQ+2B1');
INSERT INTO "messages" VALUES(2,1769860800001,1770292800001,'','',NULL,'',0,1,0,0,X'5375626A6563743A20320D0A',X'',0,0,0,'');
INSERT INTO "messages" VALUES(3,1769860800002,1770292800002,'shop','tenant','other@client.example','<m3@client.example>',0,0,1,70000,X'5375626A6563743A20330D0A',NULL,0,0,0,'');
CREATE TABLE proven_tls(
  domain TEXT PRIMARY KEY NOT NULL,
  method TEXT NOT NULL,
  first_proven INTEGER NOT NULL,
  last_proven INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "proven_tls" VALUES('far.example','dane',1769860800000,1769860800005);
CREATE TABLE quotas(
  owner INTEGER NOT NULL,
  name TEXT NOT NULL,
  messages_per_hour INTEGER NOT NULL,
  messages_per_day INTEGER NOT NULL,
  recipients_per_hour INTEGER NOT NULL,
  recipients_per_day INTEGER NOT NULL,
  octets_per_day INTEGER NOT NULL,
  new_recipients_per_day INTEGER NOT NULL,
  connections INTEGER NOT NULL,
  over_limit INTEGER NOT NULL,
  held_because TEXT NOT NULL,
  PRIMARY KEY(owner, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "quotas" VALUES(0,'shop',1,2,3,4,5,6,7,1,'sends what it should not');
CREATE TABLE recipients(
  message INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  address TEXT NOT NULL,
  domain TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  report TEXT NOT NULL, notify INTEGER NOT NULL DEFAULT 0, original_recipient TEXT NOT NULL DEFAULT '', delay_told INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(message, ordinal)
) STRICT, WITHOUT ROWID;
INSERT INTO "recipients" VALUES(1,0,'a@far.example','far.example',1,3,1769861700000,'4.4.1','the host did not answer','{}',10,'rfc822;x@far.example',1);
INSERT INTO "recipients" VALUES(1,1,'b@far.example','far.example',3,1,1769860800000,'2.0.0','delivered','',0,'',0);
INSERT INTO "recipients" VALUES(1,2,'c@other.example','other.example',2,0,1769860800000,'','held by the operator','',0,'',0);
INSERT INTO "recipients" VALUES(2,0,'sender@client.example','client.example',0,0,1769860800001,'','','',0,'',0);
INSERT INTO "recipients" VALUES(3,0,'a@far.example','far.example',0,0,1769860800002,'','','',0,'',0);
CREATE TABLE sts_policies(
  domain TEXT PRIMARY KEY NOT NULL,
  policy_id TEXT NOT NULL,
  body BLOB NOT NULL,
  fetched INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "sts_policies" VALUES('far.example','20260131',X'76657273696F6E3A2053545376310D0A6D6F64653A20656E666F7263650D0A6D783A206D782E6661722E6578616D706C650D0A6D61785F6167653A203630343830300D0A',1769860800000,1770465600000);
CREATE TABLE tls_results(
  day INTEGER NOT NULL,
  domain TEXT NOT NULL,
  policy TEXT NOT NULL,
  failure TEXT NOT NULL,
  sessions INTEGER NOT NULL,
  PRIMARY KEY(day, domain, policy, failure)
) STRICT, WITHOUT ROWID;
INSERT INTO "tls_results" VALUES(20484,'far.example','{}','',7);
CREATE TABLE tokens(
  digest BLOB PRIMARY KEY NOT NULL,
  account TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "tokens" VALUES(X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F','shop',1769860800000);
CREATE TABLE usage_hours(
  owner INTEGER NOT NULL,
  name TEXT NOT NULL,
  hour INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  recipients INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  new_recipients INTEGER NOT NULL,
  delivered INTEGER NOT NULL,
  bounced INTEGER NOT NULL,
  PRIMARY KEY(owner, name, hour)
) STRICT, WITHOUT ROWID;
INSERT INTO "usage_hours" VALUES(0,'shop',491628,1,3,81,2,1,0);
CREATE UNIQUE INDEX accounts_by_uid ON accounts(uid) WHERE uid IS NOT NULL;
PRAGMA user_version=6;
COMMIT;
