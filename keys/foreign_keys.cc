#include "keys/foreign_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "keys/key_name.h"
#include "policy/ascii.h"

namespace waxwing {
namespace {

constexpr std::string_view kSpace = " \t\r";
constexpr std::size_t kMaxShownOctets = 80;

struct Entry {
  std::size_t line;
  std::string_view name;
  std::string_view value;
};

std::string shown(std::string_view text) {
  return std::string(text.substr(0, kMaxShownOctets));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

// "NAME VALUE" lines; empty ones and comments are passed over.
Result<std::vector<Entry>> parse_lines(std::string_view text, std::string_view what) {
  if (text.size() > kMaxKeyTableOctets) return fail(ErrorKind::Exhausted, fmt::format("the {} is too large", what));
  std::vector<Entry> entries;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t space = line.find_first_of(" \t");
    if (space == std::string_view::npos || entries.size() == kMaxForeignKeys) {
      return fail(ErrorKind::Malformed,
                  fmt::format("line {} of the {} is not a name and a value: '{}'", number, what, shown(line)));
    }
    entries.push_back({number, line.substr(0, space), trimmed(line.substr(space))});
  }
  return entries;
}

/// Collects keys, each name once.
class KeyList {
 public:
  Result<void> add(std::string_view domain_text, std::string_view selector_text, std::string path) {
    auto domain = DomainName::parse(domain_text);
    if (!domain) return fail(ErrorKind::Malformed, fmt::format("'{}' is not a domain", shown(domain_text)));
    auto selector = parse_selector(selector_text);
    if (!selector) return fail(ErrorKind::Malformed, fmt::format("'{}' is not a selector", shown(selector_text)));
    if (!path.starts_with('/')) {
      return fail(
          ErrorKind::Malformed,
          fmt::format("'{}' is not the absolute path of a key file; a key that stands in a table itself must be "
                      "written to a file first",
                      shown(path)));
    }
    const auto [known, is_new] = paths_.try_emplace({domain->str(), *selector}, path);
    if (!is_new && known->second == path) return {};
    if (!is_new) {
      return fail(ErrorKind::Conflict,
                  fmt::format("{} has two keys of selector {}: '{}' and '{}'; only one of them can be published, so "
                              "remove the other one",
                              domain->str(), *selector, known->second, path));
    }
    keys_.push_back({std::move(*domain), std::move(*selector), std::move(path)});
    return {};
  }

  std::vector<ForeignKey> take() { return std::move(keys_); }

 private:
  std::map<std::pair<std::string, std::string>, std::string> paths_;
  std::vector<ForeignKey> keys_;
};

// "DOMAIN:SELECTOR:PATH"
struct TableKey {
  std::string_view domain;
  std::string_view selector;
  std::string_view path;
  std::size_t line;
};

Result<std::map<std::string_view, TableKey>> parse_key_table(std::string_view text) {
  const auto entries = parse_lines(text, "KeyTable");
  if (!entries) return tl::unexpected(entries.error());
  std::map<std::string_view, TableKey> keys;
  for (const Entry& entry : *entries) {
    const std::size_t first = entry.value.find(':');
    const std::size_t second = first == std::string_view::npos ? first : entry.value.find(':', first + 1);
    if (second == std::string_view::npos) {
      return fail(ErrorKind::Malformed, fmt::format("line {} of the KeyTable is not NAME DOMAIN:SELECTOR:PATH: '{}'",
                                                    entry.line, shown(entry.value)));
    }
    const TableKey key{entry.value.substr(0, first), entry.value.substr(first + 1, second - first - 1),
                       entry.value.substr(second + 1), entry.line};
    if (!keys.emplace(entry.name, key).second) {
      return fail(ErrorKind::Conflict,
                  fmt::format("line {} of the KeyTable names '{}' a second time", entry.line, shown(entry.name)));
    }
  }
  return keys;
}

// "*@example.org", "ann@example.org", ".example.org" and "example.org" all speak of example.org.
std::string_view domain_of_pattern(std::string_view pattern) {
  const std::size_t at = pattern.find_last_of('@');
  if (at != std::string_view::npos) pattern.remove_prefix(at + 1);
  while (pattern.starts_with("*.") || pattern.starts_with('.')) pattern.remove_prefix(pattern.front() == '*' ? 2 : 1);
  return pattern;
}

Result<void> add_table_key(KeyList& keys, const TableKey& key, std::string_view signing_domain) {
  const std::string_view domain = key.domain == "%" ? signing_domain : key.domain;
  if (domain.empty() || domain == "*") {
    return fail(ErrorKind::Malformed,
                fmt::format("line {} of the KeyTable has '%' for its domain, and nothing says which domains that are; "
                            "give the SigningTable too, without '*' alone",
                            key.line));
  }
  std::string path(key.path);
  if (const std::size_t percent = path.find('%'); key.domain == "%" && percent != std::string::npos)
    path.replace(percent, 1, domain);
  auto added = keys.add(domain, key.selector, std::move(path));
  if (added) return added;
  return fail(added.error().kind, fmt::format("line {} of the KeyTable: {}", key.line, added.error().detail));
}

Result<std::map<std::string, std::string>> parse_domain_map(std::string_view text, std::string_view what) {
  const auto entries = parse_lines(text, what);
  if (!entries) return tl::unexpected(entries.error());
  std::map<std::string, std::string> values;
  for (const Entry& entry : *entries) {
    const auto domain = DomainName::parse(entry.name);
    if (!domain) {
      return fail(ErrorKind::Malformed,
                  fmt::format("line {} of the {}: '{}' is not a domain", entry.line, what, shown(entry.name)));
    }
    values.insert_or_assign(domain->str(), std::string(entry.value));
  }
  return values;
}

std::string filled_in(std::string pattern, std::string_view variable, const std::string& value) {
  for (std::size_t at = pattern.find(variable); at != std::string::npos; at = pattern.find(variable, at + value.size()))
    pattern.replace(at, variable.size(), value);
  return pattern;
}

std::string value_of(const std::map<std::string, std::string>& map, const std::string& domain,
                     const std::string& otherwise) {
  const auto found = map.find(domain);
  return found == map.end() ? otherwise : found->second;
}

}  // namespace

Result<std::vector<ForeignKey>> parse_opendkim_tables(std::string_view key_table, std::string_view signing_table) {
  const auto table = parse_key_table(key_table);
  if (!table) return tl::unexpected(table.error());
  const auto uses = parse_lines(signing_table, "SigningTable");
  if (!uses) return tl::unexpected(uses.error());
  KeyList keys;
  for (const Entry& use : *uses) {
    const auto found = table->find(use.value);
    if (found == table->end()) {
      return fail(ErrorKind::NotFound,
                  fmt::format("line {} of the SigningTable names '{}', which the KeyTable does not have", use.line,
                              shown(use.value)));
    }
    if (auto added = add_table_key(keys, found->second, domain_of_pattern(use.name)); !added)
      return tl::unexpected(added.error());
  }
  if (uses->empty()) {
    for (const auto& [name, key] : *table)
      if (auto added = add_table_key(keys, key, ""); !added) return tl::unexpected(added.error());
  }
  return keys.take();
}

Result<std::vector<ForeignKey>> parse_rspamd_keys(const RspamdKeys& sources) {
  const auto selectors = parse_domain_map(sources.selector_map, "selector map");
  if (!selectors) return tl::unexpected(selectors.error());
  const auto paths = parse_domain_map(sources.path_map, "path map");
  if (!paths) return tl::unexpected(paths.error());
  std::set<std::string> domains;
  for (const auto& map : {*selectors, *paths})
    for (const auto& [domain, value] : map) domains.insert(domain);
  KeyList keys;
  for (const std::string& domain : domains) {
    const std::string selector = value_of(*selectors, domain, sources.selector);
    const std::string pattern = value_of(*paths, domain, sources.path);
    if (selector.empty() || pattern.empty()) {
      return fail(ErrorKind::Malformed,
                  fmt::format("nothing says the {} of {}; add --{}", selector.empty() ? "selector" : "path", domain,
                              selector.empty() ? "selector" : "path"));
    }
    const std::string path = filled_in(filled_in(pattern, "$domain", domain), "$selector", selector);
    if (auto added = keys.add(domain, selector, path); !added) return tl::unexpected(added.error());
  }
  return keys.take();
}

Result<std::vector<ForeignKey>> name_keys_of_folder(const std::string& folder, const std::vector<std::string>& names,
                                                    std::string_view selector) {
  if (auto checked = parse_selector(selector); !checked) return tl::unexpected(checked.error());
  KeyList keys;
  std::size_t named = 0;
  for (const std::string& name : names) {
    std::string_view domain = name;
    for (const std::string_view ending : {".pem", ".key", ".private"})
      if (domain.ends_with(ending)) domain.remove_suffix(ending.size());
    const auto parsed = DomainName::parse(domain);
    if (name.starts_with('.') || !parsed || parsed->label_count() < 2) continue;
    ++named;
    if (auto added = keys.add(domain, selector, folder + "/" + name); !added) return tl::unexpected(added.error());
  }
  if (named > 0) return keys.take();
  return fail(ErrorKind::NotFound,
              fmt::format("no file in '{}' is named after a domain, as 'example.org.pem'", folder));
}

}  // namespace waxwing
