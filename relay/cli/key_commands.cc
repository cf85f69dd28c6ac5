#include "relay/cli/key_commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "keys/generation_name.h"
#include "keys/key_name.h"
#include "keys/sealing_secret.h"
#include "keys/signing_key.h"
#include "relay/cli/zone_file.h"
#include "relay/observe/escape.h"
#include "relay/observe/timestamp.h"
#include "relay/signing/key_access.h"

namespace waxwing {
namespace {

struct NewKey {
  std::string selector;
  DkimKeyType type;
};

std::string record_text(const Signer& key) {
  return format_dkim_key_record(key.type(), key.public_key());
}

Result<DomainName> parse_domain(const std::string& text) {
  auto domain = DomainName::parse(text);
  if (domain) return domain;
  return fail(ErrorKind::Malformed, fmt::format("\"{}\" is not a domain: {}", printable(text), domain.error().detail));
}

Result<std::string> parse_selector_of(const std::string& text, const DomainName& domain) {
  auto selector = parse_selector(text);
  if (!selector) {
    return fail(ErrorKind::Malformed,
                fmt::format("\"{}\" is not a selector: {}", printable(text), selector.error().detail));
  }
  const auto name = key_record_name(*selector, domain);
  if (!name) return tl::unexpected(name.error());
  return selector;
}

Result<std::vector<NewKey>> plan_keys(const KeyCreation& creation, const DomainName& domain) {
  auto selector = parse_selector_of(creation.selector, domain);
  if (!selector) return tl::unexpected(selector.error());
  if (creation.algorithm == KeyAlgorithm::Rsa) return std::vector<NewKey>{{*selector, DkimKeyType::Rsa}};
  if (creation.algorithm == KeyAlgorithm::Ed25519) return std::vector<NewKey>{{*selector, DkimKeyType::Ed25519}};
  auto second = parse_selector_of(*selector + std::string(kEd25519Suffix), domain);
  if (!second) return tl::unexpected(second.error());
  return std::vector<NewKey>{{*selector, DkimKeyType::Rsa}, {*second, DkimKeyType::Ed25519}};
}

Result<void> check_none_exists(KeyStore& store, const DomainName& domain, const std::vector<NewKey>& wanted) {
  const auto stored = store.load_all();
  if (!stored) return tl::unexpected(stored.error());
  for (const StoredKey& key : *stored) {
    const bool taken =
        key.domain == domain && std::ranges::find(wanted, key.selector, &NewKey::selector) != wanted.end();
    if (!taken) continue;
    return fail(ErrorKind::Conflict,
                fmt::format("{} has a key of selector {} already, and mail under way needs it; choose another selector",
                            domain.str(), key.selector));
  }
  return {};
}

nlohmann::json key_object(const StoredKey& key) {
  return {{"domain", key.domain.str()},
          {"selector", key.selector},
          {"algorithm", dkim_key_type_name(key.key->type())},
          {"bits", key.key->size_bits()},
          {"created", format_timestamp(key.created)}};
}

Result<void> print_record(const StoredKey& key, Output& output) {
  const auto name = key_record_name(key.selector, key.domain);
  if (!name) return tl::unexpected(name.error());
  const std::string value = record_text(*key.key);
  nlohmann::json object = key_object(key);
  object["name"] = *name;
  object["type"] = "TXT";
  object["value"] = value;
  output.add_object(object);
  output.add_line(format_txt_record(*name, value));
  return {};
}

}  // namespace

Result<void> create_keys(KeyStore& store, const KeyCreation& creation, WallTime now, Output& output) {
  const auto domain = parse_domain(creation.domain);
  if (!domain) return tl::unexpected(domain.error());
  const auto wanted = plan_keys(creation, *domain);
  if (!wanted) return tl::unexpected(wanted.error());
  const auto free = check_none_exists(store, *domain, *wanted);
  if (!free) return free;

  std::vector<std::shared_ptr<const SigningKey>> made;
  for (const NewKey& key : *wanted) {
    auto generated = SigningKey::generate(key.type, creation.rsa_bits);
    if (!generated) return tl::unexpected(generated.error());
    made.push_back(std::make_shared<const SigningKey>(std::move(*generated)));
  }
  output.add_line(
      "; Publish these records. A relay that runs has the keys within seconds; a key signs once its record");
  output.add_line("; can be seen.");
  for (std::size_t i = 0; i < made.size(); ++i) {
    const auto added = store.add(*domain, wanted->at(i).selector, *made[i], now);
    if (!added) return added;
    const auto printed = print_record({*domain, wanted->at(i).selector, made[i], now}, output);
    if (!printed) return printed;
  }
  return {};
}

void list_keys(const std::vector<StoredKey>& keys, Output& output) {
  for (const StoredKey& key : keys) {
    nlohmann::json object = key_object(key);
    object["state"] = "active";
    output.add_object(object);
    output.add_line(fmt::format("{}  {}  {}-{}  made {}", key.domain.str(), key.selector,
                                dkim_key_type_name(key.key->type()), key.key->size_bits(),
                                format_timestamp(key.created)));
  }
}

Result<void> print_key_records(KeyStore& store, const std::string& domain_text, const std::string& selector_text,
                               Output& output) {
  const auto domain = parse_domain(domain_text);
  if (!domain) return tl::unexpected(domain.error());
  std::string selector;
  if (!selector_text.empty()) {
    const auto parsed = parse_selector_of(selector_text, *domain);
    if (!parsed) return tl::unexpected(parsed.error());
    selector = *parsed;
  }
  const auto stored = store.load_all();
  if (!stored) return tl::unexpected(stored.error());
  bool found = false;
  for (const StoredKey& key : *stored) {
    if (key.domain != *domain || (!selector.empty() && key.selector != selector)) continue;
    const auto printed = print_record(key, output);
    if (!printed) return printed;
    found = true;
  }
  if (found) return {};
  return fail(ErrorKind::NotFound,
              fmt::format("{} has no key{}; make one with \"waxwing keys create {} SELECTOR\"", domain->str(),
                          selector.empty() ? "" : " of selector " + selector, domain->str()));
}

Result<void> seal_keys(const Config& config, const std::string& former_file, Output& output) {
  if (config.key_sealing == KeySealingMode::None) {
    return fail(
        ErrorKind::Denied,
        "the configuration says to keep keys as plain PEM; set keys.sealing to \"key\" or \"passphrase\" first");
  }
  const auto sealing = make_sealing(config);
  if (!sealing) return tl::unexpected(sealing.error());
  std::optional<KeySealing> former;
  if (!former_file.empty()) {
    // Whether it is a key or a passphrase stands in each sealed file; the shorter of the two lengths is asked for here.
    auto secret = load_sealing_secret(SealingSecretKind::Passphrase, former_file);
    if (!secret) return tl::unexpected(secret.error());
    former.emplace(SealingSecretKind::Passphrase, std::move(*secret));
  }
  KeyDirectory keys(keys_directory(config), ::geteuid(), *sealing);
  const auto written = keys.seal_all(*sealing, former ? &*former : nullptr);
  if (!written) return tl::unexpected(written.error());
  output.add_object({{"sealed", *written}});
  output.add_line(*written == 0 ? "all keys are sealed already"
                                : fmt::format("sealed {} key{}", *written, *written == 1 ? "" : "s"));
  return {};
}

Result<void> export_key(KeyDirectory& store, const std::string& domain_text, const std::string& selector_text,
                        Effect effect, Output& output) {
  const auto domain = parse_domain(domain_text);
  if (!domain) return tl::unexpected(domain.error());
  const auto selector = parse_selector_of(selector_text, *domain);
  if (!selector) return tl::unexpected(selector.error());
  const auto pem = store.read_pem(*domain, *selector);
  if (!pem && pem.error().kind == ErrorKind::NotFound) {
    return fail(ErrorKind::NotFound,
                fmt::format("{} has no key of selector {}; \"waxwing keys list\" lists all", domain->str(), *selector));
  }
  if (!pem) return tl::unexpected(pem.error());
  const auto key = SigningKey::from_pem(pem->reveal());
  if (!key) return tl::unexpected(key.error());
  nlohmann::json object = {{"domain", domain->str()},
                           {"selector", *selector},
                           {"algorithm", dkim_key_type_name(key->type())},
                           {"bits", key->size_bits()},
                           {"state", effect == Effect::Done ? "exported" : "would_export"}};
  const Secret text = key->to_pem();
  if (effect == Effect::Done) object["pem"] = text.reveal();
  output.add_object(object);
  if (effect == Effect::OnlyShown) {
    output.add_line(fmt::format("would print the private key of {}, selector {}: {}-{}", domain->str(), *selector,
                                dkim_key_type_name(key->type()), key->size_bits()));
    return {};
  }
  for (std::string_view rest = text.reveal(); !rest.empty();) {
    const std::size_t end = rest.find('\n');
    output.add_line(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return {};
}

}  // namespace waxwing
