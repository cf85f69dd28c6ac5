#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/domain_name.h"
#include "policy/result.h"

namespace waxwing {

/// A key of another program: where its file is and under which name its public half is published.
struct ForeignKey {
  DomainName domain;
  std::string selector;  ///< as parse_selector() returns it
  std::string path;
};

/// A larger table of keys is none.
inline constexpr std::size_t kMaxKeyTableOctets = 64U << 20;
inline constexpr std::size_t kMaxForeignKeys = 200'000;

/// Reads the KeyTable of OpenDKIM in its file form: "NAME DOMAIN:SELECTOR:PATH" on each line. A domain of "%" stands for
/// the domains for which the SigningTable ("PATTERN NAME" on each line) uses the key.
/// @param signing_table  empty: there is none, and all keys are meant; else only those that it names
/// @errors  Malformed: a line that is none, with its number; a domain of "%" without SigningTable; NotFound: a name that
///          the KeyTable lacks; Conflict: two keys of one domain and selector; Exhausted: over the limits
/// @source  opendkim.conf(5), "KeyTable" and "SigningTable"
[[nodiscard]] Result<std::vector<ForeignKey>> parse_opendkim_tables(std::string_view key_table,
                                                                    std::string_view signing_table);

/// How the module dkim_signing of rspamd finds keys. Maps have "DOMAIN VALUE" on each line.
struct RspamdKeys {
  std::string selector_map;  ///< text: the selector of each domain; empty: none
  std::string path_map;      ///< text: the path of each domain, in which $selector may stand; empty: none
  std::string selector;      ///< of domains without an entry; empty: none
  std::string path;          ///< ditto, with $domain and $selector in it; empty: none
};

/// @errors  Malformed, Conflict, Exhausted as above; Malformed too when nothing says a domain's selector or path
/// @source  rspamd's documentation of dkim_signing: selector, path, selector_map, path_map
[[nodiscard]] Result<std::vector<ForeignKey>> parse_rspamd_keys(const RspamdKeys& keys);

/// Keys of a folder with one file for each domain, as configurations of Exim have with
/// `dkim_private_key = /etc/exim4/dkim/$dkim_domain.pem`.
/// @param folder    absolute path
/// @param names     of the files in it: a domain with or without one of the endings .pem, .key and .private; those that
///                  begin with a dot or name no domain are passed over
/// @param selector  of all of them
/// @errors  Malformed: the selector; NotFound: no file is named after a domain; Conflict: two files of one domain
[[nodiscard]] Result<std::vector<ForeignKey>> name_keys_of_folder(const std::string& folder,
                                                                  const std::vector<std::string>& names,
                                                                  std::string_view selector);

}  // namespace waxwing
