#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policy/result.h"
#include "relay/config/config.h"

namespace waxwing {

/// What may be written for an option.
enum class OptionType {
  Name,        ///< string of letters, digits, "-" and "_"
  Tenant,      ///< string, the name of a tenant or account
  Identity,    ///< array of strings, each what a certificate of a client stands for
  Tenants,     ///< array of strings, each the name of a tenant or account
  Sender,      ///< array of strings, each a rule for senders
  Recipients,  ///< array of strings, each a domain, "*." and a domain, or "*"
  NextHops,    ///< array of strings, each a host with or without port
  Hash,        ///< string, a password as crypt(3) hashes it
  ScramKeys,   ///< string, what SCRAM needs of a password
  Domain,      ///< string, a domain name
  Directory,   ///< string, an absolute path
  File,        ///< string, the absolute path of a file that exists
  Number,      ///< whole number
  Size,        ///< string such as "50MiB", or a whole number of octets
  Duration,    ///< string such as "30m"
  Durations,   ///< array of such strings
  Address,     ///< string, an IP address
  Addresses,   ///< array of such strings
  Pins,        ///< array of strings, each the base64 of 32 octets
  Endpoint,    ///< string, an IP address with or without port
  Choice,      ///< one of some strings
  Date,        ///< date without time, in UTC
  Text,        ///< string of words for people
  Numbers,     ///< array of whole numbers
  Shares,      ///< array of names, or table of names with weights
  Flag,        ///< true or false
};

/// One of the words of a Choice, with the enumerator it stands for.
struct ChoiceWord {
  std::string_view word;
  int value;
};

/// The two fields of an Endpoint.
struct EndpointField {
  IpAddress Config::*address;
  std::uint16_t Config::*port;
};

/// Where the value of an option goes.
using OptionField = std::variant<
    std::string Config::*, unsigned Config::*, std::uint64_t Config::*, std::uint16_t Config::*, bool Config::*,
    Seconds Config::*, std::vector<Seconds> Config::*, std::vector<IpAddress> Config::*, TlsLevel Config::*,
    PreflightMode Config::*, LogFormat Config::*, LogLevel Config::*, RecordPublishing Config::*,
    KeySealingMode Config::*, DnsMode Config::*, std::vector<std::string> Config::*, EndpointField,
    std::string ListenerConfig::*, IpAddress ListenerConfig::*, std::uint16_t ListenerConfig::*,
    ListenerConfig::Tls ListenerConfig::*, ListenerConfig::BareLineEnds ListenerConfig::*,
    ListenerConfig::Purpose ListenerConfig::*, std::vector<IpAddress> ListenerConfig::*,
    ListenerConfig::LongLines ListenerConfig::*, ListenerConfig::RawHeaders ListenerConfig::*,
    std::string PreflightRule::*, PreflightMode PreflightRule::*, TlsLoss Config::*, std::string SignerRule::*,
    std::string TlsRule::*, TlsLevel TlsRule::*, std::string TlsExceptionRule::*, TlsLevel TlsExceptionRule::*,
    WallTime TlsExceptionRule::*, ListenerConfig::Protocol ListenerConfig::*, ListenerConfig::Repair ListenerConfig::*,
    ListenerConfig::Scram ListenerConfig::*, unsigned ListenerConfig::*, bool ListenerConfig::*,
    std::string AccountConfig::*, std::vector<std::string> AccountConfig::*, std::uint64_t AccountConfig::*,
    std::string TenantConfig::*, std::uint64_t LimitsConfig::*, LimitsConfig::OverLimit LimitsConfig::*,
    std::string RouteConfig::*, bool RouteConfig::*, std::vector<std::string> RouteConfig::*,
    RouteConfig::Tls RouteConfig::*, std::vector<IpAddress> RouteConfig::*, std::string EgressSourceConfig::*,
    std::vector<IpAddress> EgressSourceConfig::*, WallTime EgressSourceConfig::*,
    std::vector<std::uint64_t> EgressSourceConfig::*, std::string EgressPoolConfig::*,
    std::vector<EgressShare> EgressPoolConfig::*, std::string EgressRule::*, std::string EgressPauseRule::*,
    unsigned EgressPauseRule::*, Seconds EgressPauseRule::*>;

/// One option: the row from which the loader, the reference file, `waxwing config explain` and a test of the man page
/// live. Its default is what `field` holds in a fresh Config, ListenerConfig, PreflightRule, TlsRule, TlsExceptionRule,
/// SignerRule, AccountConfig, TenantConfig, RouteConfig or what stands in an [[egress.…]].
struct Option {
  std::string_view section;  ///< "" for the top level; "listener" for what stands in each [[listener]],
                             ///< "preflight.rule" in each [[preflight.rule]] and so on
  std::string_view name;
  OptionType type;
  OptionField field;
  std::uint64_t least = 0;              ///< of Number, Size (octets), Duration and Durations (seconds)
  std::uint64_t most = 0;               ///< ditto; for lists of addresses: how many at most
  std::span<const ChoiceWord> choices;  ///< of Choice
  std::string_view example;             ///< as TOML writes it; for options without default
  std::string_view unit;                ///< what a Number counts
  std::string_view help;                ///< sentences for people, without line breaks

  /// "queue.lifetime"; "hostname" at the top level.
  [[nodiscard]] std::string full_name() const;
};

/// All options, those of a section together, in the order of the reference file.
[[nodiscard]] std::span<const Option> all_options();

/// Whether a section may stand in the file several times, `[[listener]]`; its options have no default then unless their
/// row gives no example.
[[nodiscard]] bool is_repeated_section(std::string_view section);

/// What a section is for, a sentence; "" names the top level.
/// @return  empty: there is no such section
[[nodiscard]] std::string_view section_help(std::string_view section);

/// The option of that section and name, or nullptr.
[[nodiscard]] const Option* find_option(std::string_view section, std::string_view name);

/// The built-in value as TOML writes it; empty where there is none.
[[nodiscard]] std::string default_value(const Option& option);

/// What may be written, for people: `a string such as "5d"; "1m" to "365d"`.
[[nodiscard]] std::string allowed_values(const Option& option);

/// Tells all about options.
/// @param name  "queue.lifetime", a name alone ("lifetime"), or a section ("queue")
/// @return      some lines for people, ending in a line feed
/// @errors      NotFound, with the nearest name
[[nodiscard]] Result<std::string> explain_option(std::string_view name);

inline constexpr std::size_t kMaxRetryDelays = 100;
inline constexpr std::size_t kMaxEgressSources = 256;  ///< also in a pool

}  // namespace waxwing
