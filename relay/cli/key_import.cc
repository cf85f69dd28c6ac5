#include "relay/cli/key_import.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "keys/foreign_key_file.h"
#include "keys/key_name.h"
#include "relay/daemon/network.h"

namespace waxwing {
namespace {

enum class State { New, AlreadyThere };

std::string absolute(const std::string& path) {
  if (path.empty() || path.front() == '/') return path;
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(".", nullptr), &std::free);
  return resolved ? fmt::format("{}/{}", resolved.get(), path) : path;
}

Result<std::string> read_table(const std::string& path) {
  return path.empty() ? Result<std::string>("") : read_file(path, kMaxKeyTableOctets);
}

Result<std::vector<std::string>> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), &::closedir);
  if (!stream) {
    return fail(errno == ENOENT ? ErrorKind::NotFound : ErrorKind::Denied,
                fmt::format("cannot list the folder '{}': {}", folder, std::system_category().message(errno)));
  }
  std::vector<std::string> names;
  for (const dirent* entry = ::readdir(stream.get()); entry != nullptr; entry = ::readdir(stream.get())) {
    if (names.size() == kMaxForeignKeys)
      return fail(ErrorKind::Exhausted, fmt::format("'{}' has more than {} entries", folder, kMaxForeignKeys));
    names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<ForeignKey>> name_pem(const KeySource& source) {
  auto domain = DomainName::parse(source.domain);
  if (!domain) return fail(ErrorKind::Malformed, fmt::format("\"{}\" is not a domain", source.domain));
  auto selector = parse_selector(source.selector);
  if (!selector) return fail(ErrorKind::Malformed, fmt::format("\"{}\" is not a selector", source.selector));
  return std::vector<ForeignKey>{{std::move(*domain), std::move(*selector), absolute(source.path)}};
}

Result<std::vector<ForeignKey>> name_opendkim(const KeySource& source) {
  const auto key_table = read_table(source.path);
  if (!key_table) return tl::unexpected(key_table.error());
  const auto signing_table = read_table(source.signing_table);
  if (!signing_table) return tl::unexpected(signing_table.error());
  return parse_opendkim_tables(*key_table, *signing_table);
}

Result<std::vector<ForeignKey>> name_rspamd(const KeySource& source) {
  auto selector_map = read_table(source.selector_map);
  if (!selector_map) return tl::unexpected(selector_map.error());
  auto path_map = read_table(source.path_map);
  if (!path_map) return tl::unexpected(path_map.error());
  return parse_rspamd_keys({std::move(*selector_map), std::move(*path_map), source.selector, source.path});
}

Result<std::vector<ForeignKey>> name_exim(const KeySource& source) {
  const std::string folder = absolute(source.path);
  const auto names = names_in(folder);
  if (!names) return tl::unexpected(names.error());
  return name_keys_of_folder(folder, *names, source.selector);
}

Result<std::vector<ForeignKey>> name_keys(const KeySource& source) {
  switch (source.program) {
    case KeySource::Program::OpenDkim:
      return name_opendkim(source);
    case KeySource::Program::Rspamd:
      return name_rspamd(source);
    case KeySource::Program::Exim:
      return name_exim(source);
    case KeySource::Program::Pem:
      break;
  }
  return name_pem(source);
}

// Of each key whether it is to be added; a conflict fails the whole before anything is.
Result<std::vector<State>> compare(KeyStore& store, const std::vector<ImportedKey>& keys) {
  const auto stored = store.load_all();
  if (!stored) return tl::unexpected(stored.error());
  std::map<std::pair<std::string, std::string>, std::string> known;
  for (const StoredKey& key : *stored) known[{key.domain.str(), key.selector}] = key.key->public_key();
  std::vector<State> states;
  for (const ImportedKey& key : keys) {
    if (auto name = key_record_name(key.name.selector, key.name.domain); !name) return tl::unexpected(name.error());
    const auto found = known.find({key.name.domain.str(), key.name.selector});
    if (found != known.end() && found->second != key.key.public_key()) {
      return fail(
          ErrorKind::Conflict,
          fmt::format("{} has another key of selector {} already than '{}'; keys are never replaced, so nothing "
                      "was imported",
                      key.name.domain.str(), key.name.selector, key.name.path));
    }
    states.push_back(found == known.end() ? State::New : State::AlreadyThere);
  }
  return states;
}

void print(const ImportedKey& key, State state, Effect effect, Output& output) {
  const std::string_view word = state == State::AlreadyThere  ? "already_there"
                                : effect == Effect::OnlyShown ? "would_import"
                                                              : "imported";
  const std::string type(dkim_key_type_name(key.key.type()));
  output.add_object(nlohmann::json{{"domain", key.name.domain.str()},
                                   {"selector", key.name.selector},
                                   {"algorithm", type},
                                   {"bits", key.key.size_bits()},
                                   {"source", key.name.path},
                                   {"state", word}});
  output.add_line(fmt::format("{}  {}  {}-{}  {}  {}", key.name.domain.str(), key.name.selector, type,
                              key.key.size_bits(), word, key.name.path));
  if (key.key.type() == DkimKeyType::Rsa && key.key.size_bits() < kAdvisedRsaBits) {
    output.add_line(
        fmt::format("; this key of {} bits is weak: make one of {} with \"waxwing keys create {} SELECTOR\"",
                    key.key.size_bits(), kAdvisedRsaBits, key.name.domain.str()));
  }
}

}  // namespace

Result<std::vector<ImportedKey>> read_key_source(const KeySource& source) {
  const auto names = name_keys(source);
  if (!names) return tl::unexpected(names.error());
  std::vector<ImportedKey> keys;
  for (const ForeignKey& name : *names) {
    auto content = read_foreign_key(name.path);
    if (!content) {
      return fail(content.error().kind, fmt::format("the key of {}, selector {}: {}", name.domain.str(), name.selector,
                                                    content.error().detail));
    }
    keys.push_back({name, std::move(content->key), content->changed});
  }
  return keys;
}

Result<void> import_keys(KeyStore& store, const std::vector<ImportedKey>& keys, Effect effect, Output& output) {
  const auto states = compare(store, keys);
  if (!states) return tl::unexpected(states.error());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const ImportedKey& key = keys[i];
    if (effect == Effect::Done && states->at(i) == State::New) {
      const auto added = store.add(key.name.domain, key.name.selector, key.key, key.changed);
      if (!added) return added;
    }
    print(key, states->at(i), effect, output);
  }
  return {};
}

}  // namespace waxwing
