#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "policy/time_point.h"
#include "policy/tls_requirement.h"
#include "relay/config/route_config.h"

namespace waxwing {

struct Config;

/// One submission listener, `[[listener]]`.
struct ListenerConfig {
  enum class Tls {
    None,      ///< AUTH in clear text; on loopback addresses only
    StartTls,  ///< AUTH after STARTTLS (port 587)
    Implicit,  ///< TLS from the first octet (port 465)
  };
  enum class BareLineEnds { Reject, Fix };
  enum class Purpose {
    Submission,  ///< mail of those who log in, in names that they may use
    Forwarding,  ///< mail from elsewhere that goes on: judged and sealed, never signed as ours
  };
  enum class LongLines { Reject, Fix, Pass };
  enum class RawHeaders { Reject, Fix, Pass };
  enum class Protocol {
    Smtp,
    Lmtp,  ///< RFC 2033: a reply for each recipient
    Http,  ///< POST /v1/messages
  };
  enum class Repair { Reject, Fix, Pass };
  enum class Scram {
    Off,
    Ready,  ///< offered while each account that a password opens has SCRAM keys
    On,
  };
  std::string name;
  IpAddress address;
  std::uint16_t port = 587;
  std::string socket;  ///< path of a unix socket, whose clients are known by their uid; empty: address and port
  Protocol protocol = Protocol::Smtp;
  Tls tls = Tls::None;
  std::string certificate_file;  ///< PEM chain; needed unless tls is None
  std::string key_file;          ///< PEM key; needed unless tls is None
  std::string client_ca_file;    ///< authorities whose certificates let clients log in with EXTERNAL; empty: none do
  Scram scram = Scram::Ready;    ///< whether AUTH has SCRAM-SHA-256
  bool scram_plus = false;       ///< and with it, inside TLS, SCRAM-SHA-256-PLUS
  BareLineEnds bare_line_ends = BareLineEnds::Reject;  ///< Fix: a lone LF or CR in content becomes CRLF before signing;
                                                       ///< loopback only
  Purpose purpose = Purpose::Submission;
  std::vector<IpAddress> peers;              ///< clients of a forwarding listener that need not log in
  LongLines long_lines = LongLines::Fix;     ///< lines of content over 998 octets; Fix: broken before signing
  RawHeaders raw_headers = RawHeaders::Fix;  ///< 8-bit octets in a header that is not SMTPUTF8; Fix: encoded
  Repair date = Repair::Fix;                 ///< no Date field
  Repair message_id = Repair::Fix;           ///< no Message-ID field
  Repair unlabelled_8bit = Repair::Fix;      ///< 8-bit octets without BODY=8BITMIME, or without MIME fields
  Repair needless_smtputf8 = Repair::Fix;    ///< SMTPUTF8 with ASCII addresses; Fix: the header in ASCII, without it
  bool cut_through = false;        ///< clients are answered with what the receiver says, see Config::cut_through_wait
  std::vector<IpAddress> proxies;  ///< who must begin with a PROXY header
  std::vector<IpAddress> xclient_peers;          ///< who may say XCLIENT
  unsigned max_connections = 0;                  ///< to this listener; 0: Config::max_connections alone
  unsigned max_connections_per_address = 1'000;  ///< from one address that is not a loopback address; 0: no limit

  friend bool operator==(const ListenerConfig&, const ListenerConfig&) = default;
};

/// The listener without configuration: "local", 127.0.0.1:587 without TLS, repairing bare line ends.
[[nodiscard]] std::vector<ListenerConfig> default_listeners();

/// Whether SCRAM keys are made when a password is set: some listener offers SCRAM, or would.
[[nodiscard]] bool keeps_scram_keys(const Config& config);

/// 127.0.0.1.
[[nodiscard]] IpAddress ipv4_loopback();

/// What to do with a message that preflight says would fail at its receivers: refuse it, keep it until an operator
/// releases it, or take it and say so in the log.
enum class PreflightMode { Enforce, Hold, Warn };

/// An exception to the mode of preflight, `[[preflight.rule]]`. At least one of tenant and domain is set.
struct PreflightRule {
  std::string tenant;  ///< of the account that submits; empty: any
  std::string domain;  ///< author domain, with all domains below it, as DomainName::str(); empty: any
  PreflightMode mode = PreflightMode::Enforce;

  friend bool operator==(const PreflightRule&, const PreflightRule&) = default;
};

/// Who brings key records into the DNS: the operator, a file that his zone includes, signed updates, or a program.
enum class RecordPublishing { Manual, ZoneFile, Update, Command };

/// More TLS than `delivery.minimum_tls` for some mail, `[[tls.rule]]`. At least one of tenant and domain is set.
struct TlsRule {
  std::string tenant;  ///< of the account that submits; empty: any
  std::string domain;  ///< recipient domain, with all domains below it, as DomainName::str(); empty: any
  TlsLevel minimum = TlsLevel::Verified;

  friend bool operator==(const TlsRule&, const TlsRule&) = default;
};

/// Less TLS for one recipient domain, for a while, `[[tls.exception]]`.
struct TlsExceptionRule {
  std::string domain;                    ///< exactly this one, as DomainName::str()
  TlsLevel level = TlsLevel::Encrypted;  ///< Encrypted or Verified
  std::string reason;                    ///< the operator's own words
  WallTime expires;                      ///< the first moment at which it does not hold

  friend bool operator==(const TlsExceptionRule&, const TlsExceptionRule&) = default;
};

/// What to do when no host of a domain that once was authenticated can be so any more.
enum class TlsLoss { Ignore, Report, Defer };

/// A tenant that may have mail signed for a domain, `[[signer.rule]]`.
struct SignerRule {
  std::string domain;  ///< and all domains below it, as DomainName::str()
  std::string tenant;

  friend bool operator==(const SignerRule&, const SignerRule&) = default;
};

/// Under what private keys are sealed on disk: nothing, random octets, or a passphrase.
enum class KeySealingMode { None, Key, Passphrase };

/// Who answers questions of DNS and validates the answers.
enum class DnsMode {
  Stub,       ///< a resolver on this host
  Tls,        ///< a resolver anywhere, over TLS, that proves who it is
  Recursing,  ///< the relay itself
};

/// What an account or a tenant may use; 0: no limit.
struct LimitsConfig {
  enum class OverLimit { Reject, Hold };
  std::uint64_t messages_per_hour = 0;
  std::uint64_t messages_per_day = 0;
  std::uint64_t recipients_per_hour = 0;
  std::uint64_t recipients_per_day = 0;
  std::uint64_t octets_per_day = 0;
  std::uint64_t new_recipients_per_day = 0;
  std::uint64_t connections = 0;
  OverLimit over_limit = OverLimit::Reject;

  friend bool operator==(const LimitsConfig&, const LimitsConfig&) = default;
};

/// An account that stands in the configuration file, `[[account]]`.
struct AccountConfig : LimitsConfig {
  std::string name;
  std::string tenant;                     ///< empty: an own one of the same name
  std::string password_hash;              ///< yescrypt; empty: no password opens it
  std::string scram_keys;                 ///< of the same password, as parse_scram_keys() reads them; empty: none
  std::vector<std::string> senders;       ///< empty: any
  std::uint64_t uid = kNoUid;             ///< local user that need not log in
  std::vector<std::string> certificates;  ///< as policy/client_certificate.h has them

  static constexpr std::uint64_t kNoUid = 1ULL << 32;
  friend bool operator==(const AccountConfig&, const AccountConfig&) = default;
};

/// Limits of a tenant, `[[tenant]]`.
struct TenantConfig : LimitsConfig {
  std::string name;

  friend bool operator==(const TenantConfig&, const TenantConfig&) = default;
};

/// A local end from which mail leaves, `[[egress.source]]`.
struct EgressSourceConfig {
  std::string name;
  std::vector<IpAddress> addresses;            ///< to bind to, at most one of each family
  std::vector<IpAddress> public_addresses;     ///< that receivers see; empty: `addresses`
  std::string helo_name;                       ///< in EHLO; load_config() fills in that of the relay
  WallTime warm_up_start;                      ///< first day of `warm_up_per_day`, midnight in UTC
  std::vector<std::uint64_t> warm_up_per_day;  ///< messages to each provider; empty: no warm-up

  friend bool operator==(const EgressSourceConfig&, const EgressSourceConfig&) = default;
};

/// A source in a pool, and how much of its mail it gets in proportion to the others.
struct EgressShare {
  std::string source;
  std::uint64_t weight = 1;  ///< 1 to kMaxEgressWeight

  friend bool operator==(const EgressShare&, const EgressShare&) = default;
};

/// Sources that share some mail, `[[egress.pool]]`.
struct EgressPoolConfig {
  std::string name;
  std::vector<EgressShare> sources;

  friend bool operator==(const EgressPoolConfig&, const EgressPoolConfig&) = default;
};

/// Which mail leaves from which pool, `[[egress.rule]]`. At least one of tenant and domain is set.
struct EgressRule {
  std::string tenant;  ///< of the account that submits; empty: any
  std::string domain;  ///< recipient domain, with all domains below it, as DomainName::str(); empty: any
  std::string pool;

  friend bool operator==(const EgressRule&, const EgressRule&) = default;
};

/// A reply that makes a source rest at a provider, `[[egress.pause]]`. At least one of code and text is set.
struct EgressPauseRule {
  std::string name;
  std::string provider;  ///< registrable domain of the MX host; empty: any
  unsigned code = 0;     ///< of the reply; 0: any
  std::string text;      ///< pattern of its text with "*"; empty: any
  Seconds pause_for{0};

  friend bool operator==(const EgressPauseRule&, const EgressPauseRule&) = default;
};

enum class LogFormat { Text, Json };

/// The least severity that is logged.
enum class LogLevel { Debug, Info, Warning, Error };

/// The whole configuration. What load_config() returns is checked; the initialisers here are the defaults, from which
/// etc/waxwing.toml and the help are written (schema.h).
struct Config {
  std::string hostname;  ///< our name in EHLO, banner, Received and DSNs, as DomainName::str(); load_config() fills in
                         ///< the system's host name
  std::string state_directory = "/var/lib/waxwing";
  std::string run_directory = "/run/waxwing";         ///< control socket
  std::string drop_directory = "/var/spool/waxwing";  ///< where sendmail leaves messages while the relay does not run
  unsigned workers = 0;                               ///< 0: one for each core
  std::vector<ListenerConfig> listeners = default_listeners();

  // [limits]
  std::uint64_t max_message_octets = 50ULL << 20;
  unsigned max_recipients = 100;
  unsigned max_connections = 10'000;
  Seconds idle_timeout{300};
  std::uint64_t sudden_volume = 0;  ///< recipients in an hour from which an account can be held; 0: never
  unsigned bounce_percent = 0;      ///< of its recipients, above which an account is held; 0: never

  std::vector<AccountConfig> accounts;
  std::vector<TenantConfig> tenants;
  std::vector<RouteConfig> routes;  ///< see route_choice.h

  // [dns]
  DnsMode dns_mode = DnsMode::Stub;              ///< `mode`
  IpAddress resolver_address = ipv4_loopback();  ///< `resolver`
  std::uint16_t resolver_port = 53;
  std::string resolver_tls_name;               ///< `tls_name`; empty: not asked for
  std::vector<std::string> resolver_tls_pins;  ///< `tls_pins`, base64; empty: not asked for
  std::string trust_anchor_file = "/usr/share/dns/root.key";
  std::vector<IpAddress> root_servers;  ///< empty: those of the public DNS
  std::string probe_name;               ///< a signed name that shows whether the resolver validates; empty: the root

  // [egress]
  /// `addresses` that receivers see; load_config() fills in those of all sources where there are any.
  std::vector<IpAddress> egress_addresses;
  std::vector<IpAddress> source_addresses;         ///< local addresses to bind to, at most one of each family
  std::string default_pool;                        ///< empty: the only pool, or all sources; see egress_rules.h
  std::vector<EgressSourceConfig> egress_sources;  ///< `[[egress.source]]`
  std::vector<EgressPoolConfig> egress_pools;      ///< `[[egress.pool]]`
  std::vector<EgressRule> egress_rules;            ///< `[[egress.rule]]`
  std::vector<EgressPauseRule> egress_pauses;      ///< `[[egress.pause]]`

  // [delivery]
  std::uint16_t smtp_port = 25;
  std::uint16_t sts_port = 443;
  TlsLevel minimum_tls = TlsLevel::Encrypted;
  bool allow_tls_required_no = false;
  bool allow_non_global_addresses = false;
  unsigned max_connections_per_host = 20;
  unsigned max_connections_per_provider = 100;
  unsigned initial_concurrency = 5;
  unsigned failed_cohorts = 1;  ///< 0: no destination is paused
  Seconds reply_timeout{300};
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";

  // [queue]
  Seconds lifetime{5 * 86'400};
  Seconds delay_report_after{4 * 3'600};
  Seconds cut_through_wait{30};  ///< for the receiver, before a client is told that its message is queued
  std::vector<std::string> cut_through_accounts;  ///< that wait whatever their listener says
  Seconds max_future_release{30 * 86'400};        ///< that HOLDFOR= and HOLDUNTIL= may ask for; 0: not offered
  Seconds least_by_time{60};                      ///< that BY= with R must leave; 0: BY= is not offered
  std::vector<Seconds> retry_delays = {Seconds(300),   Seconds(600),   Seconds(1'200), Seconds(2'400),
                                       Seconds(3'600), Seconds(7'200), Seconds(14'400)};  ///< the last one repeats

  // [signing]
  Seconds signature_lifetime{14 * 86'400};  ///< x= minus t=; longer than queue.lifetime

  // [rotation]
  RecordPublishing publishing = RecordPublishing::Manual;  ///< `publish`
  Seconds rotation_interval{0};                            ///< `interval`; 0: on request alone
  Seconds in_flight{7 * 86'400};
  Seconds record_ttl{3'600};
  std::string zone_directory;                  ///< of ZoneFile
  std::string reload_program;                  ///< of ZoneFile; empty: none
  IpAddress update_address = ipv4_loopback();  ///< `update_server`, of Update
  std::uint16_t update_port = 53;
  std::string tsig_key_file;    ///< of Update
  std::string publish_program;  ///< of Command
  std::string delegation_zone;  ///< zone that customers' CNAMEs lead into; empty: none
  unsigned delegation_slots = 4;
  bool reveal_keys = false;      ///< `reveal`
  std::string reveal_directory;  ///< empty: old private halves are destroyed
  std::uint16_t name_server_port = 53;
  // [keys]
  std::string keys_directory;                         ///< `directory`; empty: see key_access.h
  KeySealingMode key_sealing = KeySealingMode::None;  ///< `sealing`
  std::string sealing_file;                           ///< empty: the credential of the service manager

  // [signer]
  std::string signer_socket;  ///< `socket` of waxwing-signer; empty: the relay signs itself
  std::string relay_user = "waxwing";
  std::string signer_user = "waxwing-signer";  ///< `user`
  unsigned max_signatures = 300'000;           ///< of one domain in a minute
  std::vector<SignerRule> signer_rules;        ///< `[[signer.rule]]`

  // [preflight]
  PreflightMode preflight_mode = PreflightMode::Enforce;  ///< `mode`
  std::vector<PreflightRule> preflight_rules;             ///< `[[preflight.rule]]`; see preflight_mode.h

  // [tls]
  TlsLoss tls_on_loss = TlsLoss::Report;         ///< `on_loss`
  Seconds tls_remember_for{30 * 86'400};         ///< `remember_for`
  std::vector<TlsRule> tls_rules;                ///< `[[tls.rule]]`; see tls_rules.h
  std::vector<TlsExceptionRule> tls_exceptions;  ///< `[[tls.exception]]`

  // [tls_report]
  bool tls_report_enabled = false;      ///< `enabled`
  std::string tls_report_organization;  ///< `organization`; load_config() fills in the host name
  std::string tls_report_contact;       ///< `contact`; load_config() fills in postmaster at the host name

  // [suppression]
  bool suppression_bad_mailboxes = false;               ///< `bad_mailboxes`
  std::vector<std::string> suppression_except_tenants;  ///< `except_tenants`
  Seconds suppression_keep_for{90 * 86'400};            ///< `keep_for`

  // [forwarding]
  std::string forwarding_domain;  ///< `domain` of rewritten senders and of the key that seals; empty: not set

  // [log]
  LogFormat log_format = LogFormat::Text;  ///< `format`
  LogLevel log_level = LogLevel::Info;     ///< `level`

  friend bool operator==(const Config&, const Config&) = default;
};

inline constexpr std::uint64_t kMaxEgressWeight = 1'000;

}  // namespace waxwing
