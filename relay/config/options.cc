#include "relay/config/schema.h"

// The rows of the table, one for each option.

namespace waxwing {
namespace {

constexpr std::uint64_t kMinute = 60;
constexpr std::uint64_t kHour = 3'600;
constexpr std::uint64_t kDay = 86'400;
constexpr std::uint64_t kMaxPeers = 256;
constexpr std::uint64_t kMaxPort = 65'535;

constexpr ChoiceWord kListenerTlsWords[] = {{"none", static_cast<int>(ListenerConfig::Tls::None)},
                                            {"starttls", static_cast<int>(ListenerConfig::Tls::StartTls)},
                                            {"implicit", static_cast<int>(ListenerConfig::Tls::Implicit)}};
constexpr ChoiceWord kBareLineEndsWords[] = {{"reject", static_cast<int>(ListenerConfig::BareLineEnds::Reject)},
                                             {"fix", static_cast<int>(ListenerConfig::BareLineEnds::Fix)}};
constexpr ChoiceWord kPurposeWords[] = {{"submission", static_cast<int>(ListenerConfig::Purpose::Submission)},
                                        {"forwarding", static_cast<int>(ListenerConfig::Purpose::Forwarding)}};
constexpr ChoiceWord kLongLinesWords[] = {{"reject", static_cast<int>(ListenerConfig::LongLines::Reject)},
                                          {"fix", static_cast<int>(ListenerConfig::LongLines::Fix)},
                                          {"pass", static_cast<int>(ListenerConfig::LongLines::Pass)}};
constexpr ChoiceWord kRawHeadersWords[] = {{"reject", static_cast<int>(ListenerConfig::RawHeaders::Reject)},
                                           {"fix", static_cast<int>(ListenerConfig::RawHeaders::Fix)},
                                           {"pass", static_cast<int>(ListenerConfig::RawHeaders::Pass)}};
// Clear text is not offered: it is an exception for one domain, with a reason and an end, never a rule.
constexpr ChoiceWord kTlsLevelWords[] = {{"encrypted", static_cast<int>(TlsLevel::Encrypted)},
                                         {"verified", static_cast<int>(TlsLevel::Verified)},
                                         {"authenticated", static_cast<int>(TlsLevel::Authenticated)}};
constexpr ChoiceWord kPreflightWords[] = {{"enforce", static_cast<int>(PreflightMode::Enforce)},
                                          {"hold", static_cast<int>(PreflightMode::Hold)},
                                          {"warn", static_cast<int>(PreflightMode::Warn)}};
constexpr ChoiceWord kKeySealingWords[] = {{"none", static_cast<int>(KeySealingMode::None)},
                                           {"key", static_cast<int>(KeySealingMode::Key)},
                                           {"passphrase", static_cast<int>(KeySealingMode::Passphrase)}};
constexpr ChoiceWord kDnsModeWords[] = {{"stub", static_cast<int>(DnsMode::Stub)},
                                        {"tls", static_cast<int>(DnsMode::Tls)},
                                        {"recursing", static_cast<int>(DnsMode::Recursing)}};
constexpr ChoiceWord kLogFormatWords[] = {{"text", static_cast<int>(LogFormat::Text)},
                                          {"json", static_cast<int>(LogFormat::Json)}};

constexpr ChoiceWord kExceptionWords[] = {{"encrypted", static_cast<int>(TlsLevel::Encrypted)},
                                          {"verified", static_cast<int>(TlsLevel::Verified)}};
constexpr ChoiceWord kTlsLossWords[] = {{"ignore", static_cast<int>(TlsLoss::Ignore)},
                                        {"report", static_cast<int>(TlsLoss::Report)},
                                        {"defer", static_cast<int>(TlsLoss::Defer)}};

// Designated initialisers keep each row readable; those left out have the defaults of Option.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
const Option kOptions[] = {
    {.section = "",
     .name = "hostname",
     .type = OptionType::Domain,
     .field = &Config::hostname,
     .example = "\"relay.example.org\"",
     .help =
         "Name of this relay in its banner, in EHLO and in Received fields. Receivers expect that it resolves to the "
         "addresses from which mail leaves, and that these resolve back to it. Without it, the system's host name."},
    {.section = "",
     .name = "state_directory",
     .type = OptionType::Directory,
     .field = &Config::state_directory,
     .help = "Queue, accounts and keys. It must be on a local disk that keeps what it has acknowledged."},
    {.section = "",
     .name = "run_directory",
     .type = OptionType::Directory,
     .field = &Config::run_directory,
     .help = "Control socket, through which the command line speaks to the running relay."},
    {.section = "",
     .name = "workers",
     .type = OptionType::Number,
     .field = &Config::workers,
     .least = 0,
     .most = 256,
     .unit = "threads",
     .help = "Threads that serve clients and deliver mail; 0 for one on each processor core."},
    {.section = "listener",
     .name = "name",
     .type = OptionType::Name,
     .field = &ListenerConfig::name,
     .example = "\"local\"",
     .help = "Name of this listener in the log. Required."},
    {.section = "listener",
     .name = "address",
     .type = OptionType::Address,
     .field = &ListenerConfig::address,
     .example = "\"127.0.0.1\"",
     .help = "IP address to listen on; \"0.0.0.0\" and \"::\" for all. Required."},
    {.section = "listener",
     .name = "port",
     .type = OptionType::Number,
     .field = &ListenerConfig::port,
     .least = 1,
     .most = kMaxPort,
     .help = "TCP port: 587 for submission with STARTTLS, 465 for TLS from the first octet."},
    {.section = "listener",
     .name = "tls",
     .type = OptionType::Choice,
     .field = &ListenerConfig::tls,
     .choices = kListenerTlsWords,
     .help =
         "\"starttls\" and \"implicit\" need a certificate; \"none\" is for loopback addresses only, since passwords "
         "would cross the network in clear text."},
    {.section = "listener",
     .name = "certificate_file",
     .type = OptionType::File,
     .field = &ListenerConfig::certificate_file,
     .example = "\"/etc/waxwing/tls/fullchain.pem\"",
     .help = "Certificate chain in PEM, the server's own certificate first."},
    {.section = "listener",
     .name = "key_file",
     .type = OptionType::File,
     .field = &ListenerConfig::key_file,
     .example = "\"/etc/waxwing/tls/privkey.pem\"",
     .help = "Private key of the certificate in PEM."},
    {.section = "listener",
     .name = "bare_line_ends",
     .type = OptionType::Choice,
     .field = &ListenerConfig::bare_line_ends,
     .choices = kBareLineEndsWords,
     .help =
         "A lone CR or LF in a message: \"reject\" refuses it, \"fix\" makes it CRLF before signing. \"fix\" is for "
         "loopback addresses only, because it would let strangers smuggle messages."},
    {.section = "listener",
     .name = "purpose",
     .type = OptionType::Choice,
     .field = &ListenerConfig::purpose,
     .choices = kPurposeWords,
     .help = "\"submission\" takes mail of those who log in, in names that they may use, and signs it; \"forwarding\" "
             "takes mail of anybody from a mail server of yours, says in it what was found about it, seals that (ARC) "
             "and rewrites its envelope sender (SRS)."},
    {.section = "listener",
     .name = "peers",
     .type = OptionType::Addresses,
     .field = &ListenerConfig::peers,
     .most = kMaxPeers,
     .help =
         "Addresses of clients that need not log in. For purpose \"forwarding\" only: what they send is believed to "
         "come from elsewhere."},
    {.section = "listener",
     .name = "long_lines",
     .type = OptionType::Choice,
     .field = &ListenerConfig::long_lines,
     .choices = kLongLinesWords,
     .help = "A line of a message with more than 998 octets, which some servers break and thereby break signatures: "
             "\"reject\" refuses it, \"fix\" breaks it at white space before signing, \"pass\" leaves it as it is."},
    {.section = "listener",
     .name = "raw_headers",
     .type = OptionType::Choice,
     .field = &ListenerConfig::raw_headers,
     .choices = kRawHeadersWords,
     .help = "Header fields with letters outside ASCII in a message that does not say SMTPUTF8: \"reject\" refuses it, "
             "\"fix\" encodes them before signing, \"pass\" leaves them as they are."},
    {.section = "limits",
     .name = "max_message_octets",
     .type = OptionType::Size,
     .field = &Config::max_message_octets,
     .least = 64ULL << 10,
     .most = 1ULL << 30,
     .help = "Largest message that is accepted."},
    {.section = "limits",
     .name = "max_recipients",
     .type = OptionType::Number,
     .field = &Config::max_recipients,
     .least = 1,
     .most = 10'000,
     .unit = "recipients",
     .help = "Recipients of one message. Clients expect at least 100 (RFC 5321 §4.5.3.1.8)."},
    {.section = "limits",
     .name = "max_connections",
     .type = OptionType::Number,
     .field = &Config::max_connections,
     .least = 1,
     .most = 1'000'000,
     .unit = "connections",
     .help = "Client connections at the same time, all listeners together."},
    {.section = "limits",
     .name = "idle_timeout",
     .type = OptionType::Duration,
     .field = &Config::idle_timeout,
     .least = 1,
     .most = kHour,
     .help = "A client that says nothing for so long is disconnected. RFC 5321 §4.5.3.2.7 asks for 5 minutes."},
    {.section = "dns",
     .name = "mode",
     .type = OptionType::Choice,
     .field = &Config::dns_mode,
     .choices = kDnsModeWords,
     .help =
         "\"stub\" asks a resolver on this host. \"tls\" asks a resolver anywhere by DNS over TLS, and only after it "
         "has proven who it is (tls_name, tls_pins). \"recursing\" asks the servers of each domain and validates what "
         "they say, where there is no resolver."},
    {.section = "dns",
     .name = "resolver",
     .type = OptionType::Endpoint,
     .field = EndpointField{&Config::resolver_address, &Config::resolver_port},
     .help =
         "Validating resolver, such as unbound. With mode \"stub\" on a loopback address of this host: its word on "
         "DNSSEC is trusted, so it must not cross a network. The port is 53 unless written as in \"127.0.0.1:5353\" "
         "or \"[::1]:5353\"; with mode \"tls\" it must be written and is mostly 853."},
    {.section = "dns",
     .name = "tls_name",
     .type = OptionType::Domain,
     .field = &Config::resolver_tls_name,
     .example = "\"dns.example.org\"",
     .help = "With mode \"tls\": the name that the certificate of the resolver must have, by an authority of "
             "delivery.ca_file."},
    {.section = "dns",
     .name = "tls_pins",
     .type = OptionType::Pins,
     .field = &Config::resolver_tls_pins,
     .most = 16,
     .help = "With mode \"tls\": keys of the resolver, one of which it must have; each is the SHA-256 digest of the "
             "SubjectPublicKeyInfo (RFC 7858 §4.2). Where tls_name is set too, the resolver must prove both."},
    {.section = "dns",
     .name = "trust_anchor_file",
     .type = OptionType::File,
     .field = &Config::trust_anchor_file,
     .help = "With mode \"recursing\": the keys that validation starts from, DS or DNSKEY records. Debian's package "
             "dns-root-data keeps those of the public root; the relay does not follow changes of keys itself."},
    {.section = "dns",
     .name = "root_servers",
     .type = OptionType::Addresses,
     .field = &Config::root_servers,
     .most = 32,
     .help = "With mode \"recursing\": where recursion begins, on port 53. With none given, the servers of the public "
             "root."},
    {.section = "dns",
     .name = "probe_name",
     .type = OptionType::Domain,
     .field = &Config::probe_name,
     .example = "\"example.org\"",
     .help = "A name in a signed zone. The resolver is asked for it at start and every hour; while the answer is not "
             "secure, "
             "mail is deferred. Without it, the root zone, which a private DNS tree may lack."},
    {.section = "egress",
     .name = "addresses",
     .type = OptionType::Addresses,
     .field = &Config::egress_addresses,
     .most = 1'024,
     .help =
         "Public addresses that receivers see, after any NAT. SPF is checked for each of them before mail is accepted; "
         "with none given, SPF cannot be foreseen and DKIM alone must satisfy DMARC."},
    {.section = "egress",
     .name = "source_addresses",
     .type = OptionType::Addresses,
     .field = &Config::source_addresses,
     .most = 2,
     .help =
         "Local addresses from which connections are made, at most one of IPv4 and one of IPv6; with none given, the "
         "system chooses."},
    {.section = "delivery",
     .name = "minimum_tls",
     .type = OptionType::Choice,
     .field = &Config::minimum_tls,
     .choices = kTlsLevelWords,
     .help = "Least that every receiving host must prove: \"encrypted\" TLS with whoever answers, \"verified\" a "
             "certificate "
             "for the name of the MX host, \"authenticated\" DANE or MTA-STS. What a domain itself publishes is always "
             "obeyed. Mail to hosts that prove less waits in the queue and expires there."},
    {.section = "delivery",
     .name = "max_connections_per_host",
     .type = OptionType::Number,
     .field = &Config::max_connections_per_host,
     .least = 1,
     .most = 1'000,
     .unit = "connections",
     .help = "Connections to one receiving host at the same time."},
    {.section = "delivery",
     .name = "allow_tls_required_no",
     .type = OptionType::Flag,
     .field = &Config::allow_tls_required_no,
     .help =
         "Whether a message that says \"TLS-Required: No\" in its header (RFC 8689 §3) goes to hosts that fail the "
         "DANE "
         "records or the MTA-STS policy of their domain, over TLS all the same. Otherwise the field has no effect."},
    {.section = "delivery",
     .name = "reply_timeout",
     .type = OptionType::Duration,
     .field = &Config::reply_timeout,
     .least = 1,
     .most = kHour,
     .help =
         "A receiving host that does not greet or does not answer a command within so long is given up for now. RFC "
         "5321 §4.5.3.2 asks for 5 minutes."},
    {.section = "delivery",
     .name = "ca_file",
     .type = OptionType::File,
     .field = &Config::ca_file,
     .help =
         "Certificate authorities in PEM that are trusted for MTA-STS and for \"verified\". DANE does not use them."},
    {.section = "delivery",
     .name = "smtp_port",
     .type = OptionType::Number,
     .field = &Config::smtp_port,
     .least = 1,
     .most = kMaxPort,
     .help = "Port of receiving hosts. Anything but 25 is for tests."},
    {.section = "delivery",
     .name = "sts_port",
     .type = OptionType::Number,
     .field = &Config::sts_port,
     .least = 1,
     .most = kMaxPort,
     .help = "Port from which MTA-STS policies are fetched. Anything but 443 is for tests."},
    {.section = "delivery",
     .name = "allow_non_global_addresses",
     .type = OptionType::Flag,
     .field = &Config::allow_non_global_addresses,
     .help = "Whether mail may go to hosts with private or loopback addresses. Strangers choose what their MX records "
             "point "
             "to, so true is for tests and closed networks."},
    {.section = "queue",
     .name = "lifetime",
     .type = OptionType::Duration,
     .field = &Config::lifetime,
     .least = 1,
     .most = 30 * kDay,
     .help = "A message that could not be delivered for so long is returned to its sender. RFC 5321 §4.5.4.1 advises 4 "
             "to 5 "
             "days."},
    {.section = "queue",
     .name = "delay_report_after",
     .type = OptionType::Duration,
     .field = &Config::delay_report_after,
     .least = kMinute,
     .most = 30 * kDay,
     .help = "A sender that asked with NOTIFY=DELAY (RFC 3461) to be told of delays is told once, when a message has "
             "waited so long."},
    {.section = "queue",
     .name = "retry_delays",
     .type = OptionType::Durations,
     .field = &Config::retry_delays,
     .least = 1,
     .most = kDay,
     .help = "Times between one attempt and the next; the last one repeats."},
    {.section = "signing",
     .name = "signature_lifetime",
     .type = OptionType::Duration,
     .field = &Config::signature_lifetime,
     .least = kMinute,
     .most = 365 * kDay,
     .help = "How long signatures are valid (x= minus t=). It must be longer than queue.lifetime, or the last attempts "
             "would "
             "deliver signatures that have expired."},
    {.section = "keys",
     .name = "directory",
     .type = OptionType::Directory,
     .field = &Config::keys_directory,
     .example = "\"/var/lib/waxwing-signer/keys\"",
     .help =
         "Folder of the private keys, as <domain>/<selector>.pem. Nobody but its owner may read it or change it or a "
         "folder above it. Without it, \"keys\" in state_directory, or /var/lib/waxwing-signer/keys when "
         "signer.socket is set."},
    {.section = "keys",
     .name = "sealing",
     .type = OptionType::Choice,
     .field = &Config::key_sealing,
     .choices = kKeySealingWords,
     .help =
         "Under what new keys are sealed on disk: \"key\" for random octets, as \"openssl rand -base64 32\" prints "
         "them, \"passphrase\" for one that a person has chosen, \"none\" for plain PEM. Keys that exist are sealed "
         "with \"waxwing keys seal\"; until then they are read as they are."},
    {.section = "keys",
     .name = "sealing_file",
     .type = OptionType::Directory,
     .field = &Config::sealing_file,
     .example = "\"/etc/waxwing/sealing-key\"",
     .help = "File that holds the secret, readable by its owner alone. Without it, the secret is the credential "
             "\"waxwing-sealing-key\" that systemd passes to the service (LoadCredentialEncrypted=)."},
    {.section = "signer",
     .name = "socket",
     .type = OptionType::Directory,
     .field = &Config::signer_socket,
     .example = "\"/run/waxwing-signer/socket\"",
     .help =
         "Socket on which waxwing-signer listens. When it is set, the relay asks there for each signature, and its own "
         "user needs no access to the keys."},
    {.section = "signer",
     .name = "relay_user",
     .type = OptionType::Name,
     .field = &Config::relay_user,
     .help = "User of the relay, by name or number: besides root, waxwing-signer hears nobody else."},
    {.section = "signer",
     .name = "max_signatures",
     .type = OptionType::Number,
     .field = &Config::max_signatures,
     .least = 1,
     .most = 100'000'000,
     .unit = "signatures",
     .help =
         "Signatures of one domain in a minute; mail over it is refused for now, with a reply that asks the client to "
         "try again. A message takes one for each of its keys."},
    {.section = "signer.rule",
     .name = "domain",
     .type = OptionType::Domain,
     .field = &SignerRule::domain,
     .example = "\"example.org\"",
     .help = "Domain of the key, with all domains below it. Required."},
    {.section = "signer.rule",
     .name = "tenant",
     .type = OptionType::Tenant,
     .field = &SignerRule::tenant,
     .example = "\"shop\"",
     .help = "Tenant of the account that submits; an account without one is a tenant of its own name. Required."},
    {.section = "preflight",
     .name = "mode",
     .type = OptionType::Choice,
     .field = &Config::preflight_mode,
     .choices = kPreflightWords,
     .help = "What to do with a message that receivers would quarantine or reject: \"enforce\" refuses it with the "
             "reason and the remedy; \"hold\" accepts it and keeps it until it is released with \"waxwing queue "
             "release\", which signs it anew; \"warn\" accepts and delivers it and logs them."},
    {.section = "preflight.rule",
     .name = "tenant",
     .type = OptionType::Tenant,
     .field = &PreflightRule::tenant,
     .example = "\"shop\"",
     .help =
         "Tenant of the account that submits; an account without one is a tenant of its own name. Without it, any."},
    {.section = "preflight.rule",
     .name = "domain",
     .type = OptionType::Domain,
     .field = &PreflightRule::domain,
     .example = "\"example.org\"",
     .help = "Domain of the author in the From field, with all domains below it. Without it, any."},
    {.section = "preflight.rule",
     .name = "mode",
     .type = OptionType::Choice,
     .field = &PreflightRule::mode,
     .choices = kPreflightWords,
     .example = "\"hold\"",
     .help = "What to do with such mail, as preflight.mode. Required."},
    {.section = "tls",
     .name = "on_loss",
     .type = OptionType::Choice,
     .field = &Config::tls_on_loss,
     .choices = kTlsLossWords,
     .help =
         "What to do when no host of a domain that took mail authenticated by DANE or MTA-STS can be authenticated any "
         "more, although every lookup succeeded: \"report\" logs it and goes by what the domain publishes now; "
         "\"defer\" lets its mail wait until it can, or \"waxwing tls forget\" says that it is meant so; "
         "\"ignore\" remembers nothing."},
    {.section = "tls",
     .name = "remember_for",
     .type = OptionType::Duration,
     .field = &Config::tls_remember_for,
     .least = kDay,
     .most = 365 * kDay,
     .help = "How long after the last authenticated delivery a domain counts as one that was authenticated."},
    {.section = "tls.rule",
     .name = "tenant",
     .type = OptionType::Tenant,
     .field = &TlsRule::tenant,
     .example = "\"shop\"",
     .help =
         "Tenant of the account that submits; an account without one is a tenant of its own name. Without it, any."},
    {.section = "tls.rule",
     .name = "domain",
     .type = OptionType::Domain,
     .field = &TlsRule::domain,
     .example = "\"example.net\"",
     .help = "Domain of the recipient, with all domains below it. Without it, any."},
    {.section = "tls.rule",
     .name = "minimum",
     .type = OptionType::Choice,
     .field = &TlsRule::minimum,
     .choices = kTlsLevelWords,
     .help = "Least that every receiving host must prove, as delivery.minimum_tls."},
    {.section = "tls.exception",
     .name = "domain",
     .type = OptionType::Domain,
     .field = &TlsExceptionRule::domain,
     .example = "\"example.net\"",
     .help = "Domain of the recipient, without those below it. Required."},
    {.section = "tls.exception",
     .name = "level",
     .type = OptionType::Choice,
     .field = &TlsExceptionRule::level,
     .choices = kExceptionWords,
     .help = "What its hosts must still prove: \"encrypted\" nothing but TLS, \"verified\" a certificate for the name "
             "of the MX host by a public authority."},
    {.section = "tls.exception",
     .name = "reason",
     .type = OptionType::Text,
     .field = &TlsExceptionRule::reason,
     .example = "\"TLSA records forgotten in their key roll; told on 2026-11-20\"",
     .help = "Why, for those who read the log or take over. Required."},
    {.section = "tls.exception",
     .name = "expires",
     .type = OptionType::Date,
     .field = &TlsExceptionRule::expires,
     .example = "2026-12-31",
     .help = "First day, in UTC, on which it does not hold any more. Required."},
    {.section = "tls_report",
     .name = "enabled",
     .type = OptionType::Flag,
     .field = &Config::tls_report_enabled,
     .help =
         "Whether TLS sessions are counted for each recipient domain and day, by the policy that the domain publishes "
         "and by what failed, and reported after the day, by mail or HTTPS, to domains that ask for it. The mail is "
         "signed "
         "with a key of the domain that \"hostname\" names, without which none is sent. \"waxwing report tls\" shows "
         "what "
         "was counted."},
    {.section = "tls_report",
     .name = "organization",
     .type = OptionType::Text,
     .field = &Config::tls_report_organization,
     .example = "\"Example Hosting\"",
     .help = "Who reports, in the words of the report. Without it, \"hostname\"."},
    {.section = "tls_report",
     .name = "contact",
     .type = OptionType::Text,
     .field = &Config::tls_report_contact,
     .example = "\"postmaster@example.org\"",
     .help = "Address at which receivers of reports may ask. Without it, postmaster at \"hostname\"."},
    {.section = "forwarding",
     .name = "domain",
     .type = OptionType::Domain,
     .field = &Config::forwarding_domain,
     .example = "\"relay.example.org\"",
     .help = "Domain of the relay itself: envelope senders are rewritten to addresses in it, so its SPF must allow "
             "egress.addresses, and its MX should lead to the forwarding listener, which sends bounces on to whom they "
             "belong; its key, made with \"waxwing keys create\", seals. Required for a listener of purpose "
             "\"forwarding\"."},
    {.section = "log",
     .name = "format",
     .type = OptionType::Choice,
     .field = &Config::log_format,
     .choices = kLogFormatWords,
     .help = "\"text\" for people, \"json\" for one JSON object on each line."},
};

}  // namespace

std::span<const Option> all_options() {
  return kOptions;
}

}  // namespace waxwing
