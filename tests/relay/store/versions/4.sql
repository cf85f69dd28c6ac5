BEGIN TRANSACTION;
CREATE TABLE accounts(
  name TEXT PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  allowed_senders TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "accounts" VALUES('shop','tenant','$y$j9T$salt$hash','client.example');
INSERT INTO "accounts" VALUES('www','','','www@client.example');
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
, sealing INTEGER NOT NULL DEFAULT 0, tls_request INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "messages" VALUES(1,1769860800000,1770292800000,'shop','tenant','sender@client.example','<m1@client.example>',1,0,0,11,X'5375626A6563743A20310D0A',X'626F6479206F6620310D0A',1,1);
INSERT INTO "messages" VALUES(2,1769860800001,1770292800001,'','',NULL,'',0,1,0,0,X'5375626A6563743A20320D0A',X'',0,0);
INSERT INTO "messages" VALUES(3,1769860800002,1770292800002,'shop','tenant','other@client.example','<m3@client.example>',0,0,1,70000,X'5375626A6563743A20330D0A',NULL,0,0);
CREATE TABLE proven_tls(
  domain TEXT PRIMARY KEY NOT NULL,
  method TEXT NOT NULL,
  first_proven INTEGER NOT NULL,
  last_proven INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "proven_tls" VALUES('far.example','dane',1769860800000,1769860800005);
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
  report TEXT NOT NULL,
  PRIMARY KEY(message, ordinal)
) STRICT, WITHOUT ROWID;
INSERT INTO "recipients" VALUES(1,0,'a@far.example','far.example',1,3,1769861700000,'4.4.1','the host did not answer','{}');
INSERT INTO "recipients" VALUES(1,1,'b@far.example','far.example',3,1,1769860800000,'2.0.0','delivered','');
INSERT INTO "recipients" VALUES(1,2,'c@other.example','other.example',2,0,1769860800000,'','held by the operator','');
INSERT INTO "recipients" VALUES(2,0,'sender@client.example','client.example',0,0,1769860800001,'','','');
INSERT INTO "recipients" VALUES(3,0,'a@far.example','far.example',0,0,1769860800002,'','','');
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
PRAGMA user_version=4;
COMMIT;
