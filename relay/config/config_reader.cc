#include "relay/config/config_reader.h"

#include <fmt/format.h>

#include <vector>

#include "relay/config/load_config.h"
#include "relay/config/spelling.h"
#include "relay/config/value_reader.h"

namespace waxwing {
namespace {

constexpr std::string_view kListenerSection = "listener";

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

bool is_section(std::string_view name) {
  return !name.empty() && !section_help(name).empty();
}

// The section in which an option of that name is at home; nothing when several have it or none.
const Option* only_option_named(std::string_view name) {
  const Option* only = nullptr;
  for (const Option& option : all_options()) {
    if (option.name != name) continue;
    if (only != nullptr) return nullptr;
    only = &option;
  }
  return only;
}

std::string section_header(std::string_view section) {
  if (section.empty()) return "the top of the file, before the first section";
  return section == kListenerSection ? "[[listener]]" : fmt::format("[{}]", section);
}

std::vector<std::string_view> words_of(std::string_view section) {
  std::vector<std::string_view> words;
  for (const Option& option : all_options()) {
    if (option.section == section) words.push_back(option.name);
    const bool new_section = words.empty() || words.back() != option.section;
    if (section.empty() && !option.section.empty() && new_section) words.push_back(option.section);
  }
  return words;
}

}  // namespace

ReadConfig ConfigReader::read(const toml::table& document) {
  for (const auto& [key, node] : document) {
    if (const Option* option = find_option("", key.str()); option != nullptr) {
      read_option(*option, option->full_name(), node, nullptr);
    } else if (key.str() == kListenerSection) {
      read_listeners(node);
    } else if (is_section(key.str())) {
      read_section(key, node);
    } else {
      complain_unknown("", key);
    }
  }
  return std::move(result_);
}

void ConfigReader::read_section(const toml::key& section, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return mistakes_.add(place_of(section), fmt::format("{} is a section and cannot have a value", section.str()),
                         fmt::format("Write [{}] on a line of its own", section.str()));
  }
  for (const auto& [key, value] : *table) {
    const Option* option = find_option(section.str(), key.str());
    if (option == nullptr) {
      complain_unknown(section.str(), key);
    } else {
      read_option(*option, option->full_name(), value, nullptr);
    }
  }
}

void ConfigReader::read_listeners(const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr || array->empty() || !array->is_homogeneous<toml::table>()) {
    return mistakes_.add(place_of(node), "listener is not a list of sections",
                         "Write [[listener]], with two brackets on each side, above the options of each listener");
  }
  if (array->size() > kMaxListeners) {
    return mistakes_.add(place_of(node), fmt::format("there are {} listeners", array->size()),
                         fmt::format("Have at most {}", kMaxListeners));
  }
  result_.config.listeners.clear();
  for (const toml::node& element : *array) read_listener(*element.as_table());
}

void ConfigReader::read_listener(const toml::table& table) {
  const std::string prefix = fmt::format("listener.{}", result_.config.listeners.size());
  ListenerConfig& listener = result_.config.listeners.emplace_back();
  result_.settings[prefix] = {place_of(table)};
  for (const auto& [key, value] : table) {
    const Option* option = find_option(kListenerSection, key.str());
    if (option == nullptr) {
      complain_unknown(kListenerSection, key);
    } else {
      read_option(*option, fmt::format("{}.{}", prefix, option->name), value, &listener);
    }
  }
  for (const std::string_view required : {"name", "address"}) {
    if (table.contains(required)) continue;
    mistakes_.add(
        place_of(table), fmt::format("this listener has no {}", required),
        fmt::format("Add a line such as {} = {}", required, find_option(kListenerSection, required)->example));
  }
}

void ConfigReader::read_option(const Option& option, std::string setting_name, const toml::node& node,
                               ListenerConfig* listener) {
  const std::size_t mistakes_before = mistakes_.size();
  ValueReader reader(option, mistakes_);
  Config& config = result_.config;
  std::visit(Overloaded{[&]<class Value>(Value Config::*field) { reader.read(node, config.*field); },
                        [&]<class Value>(Value ListenerConfig::*field) { reader.read(node, listener->*field); },
                        [&](const EndpointField& field) {
                          reader.read_endpoint(node, config.*field.address, config.*field.port);
                        }},
             option.field);
  result_.settings[std::move(setting_name)] = {place_of(node), mistakes_.size() == mistakes_before};
}

void ConfigReader::complain_unknown(std::string_view section, const toml::key& key) {
  std::string name(key.str());
  std::string problem = section.empty() ? fmt::format("there is no option or section \"{}\"", name)
                                        : fmt::format("{} has no option \"{}\"", section_header(section), name);
  if (const Option* elsewhere = only_option_named(name); elsewhere != nullptr) {
    return mistakes_.add(place_of(key), std::move(problem),
                         fmt::format("Move it to {}", section_header(elsewhere->section)));
  }
  const std::vector<std::string_view> words = words_of(section);
  const std::string_view nearest = nearest_word(name, words);
  mistakes_.add(place_of(key), std::move(problem),
                nearest.empty() ? "Remove it; \"waxwing config explain\" lists all options"
                                : fmt::format("Did you mean \"{}\"? Otherwise remove it", nearest));
}

}  // namespace waxwing
