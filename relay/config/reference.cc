#include "relay/config/reference.h"

#include <fmt/format.h>

#include <string_view>

#include "relay/config/config.h"
#include "relay/config/schema.h"

namespace waxwing {
namespace {

constexpr std::size_t kColumns = 100;

constexpr std::string_view kPreamble =
    "Configuration of Waxwing, in TOML. Every option is here with its default; a line that is removed "
    "keeps its default. \"waxwing check config\" reads the file and reports every mistake; \"waxwing config explain\" "
    "and waxwing.toml(5) tell about each option. waxwingd reads it when it starts.";

// Breaks text into comment lines at spaces.
std::string comment(std::string_view text) {
  std::string out;
  std::string line = "#";
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (line.size() > 1 && line.size() + 1 + word.size() > kColumns) {
      out += line + '\n';
      line = "#";
    }
    line += ' ';
    line += word;
  }
  return out + line + '\n';
}

// What the built-in listener has in place of the default of every listener.
std::string_view value_of_built_in_listener(const Option& option) {
  if (option.name == "name") return "\"local\"";
  if (option.name == "address") return "\"127.0.0.1\"";
  return option.name == "bare_line_ends" ? "\"fix\"" : "";
}

std::string render_option(const Option& option) {
  std::string text = comment(option.help) + comment(fmt::format("Allowed: {}.", allowed_values(option)));
  const std::string default_text = default_value(option);
  const std::string_view built_in = option.section == "listener" ? value_of_built_in_listener(option) : "";
  if (!built_in.empty()) {
    if (!default_text.empty())
      text += comment(fmt::format("Default of a listener that does not say: {}.", default_text));
    return text + fmt::format("{} = {}\n\n", option.name, built_in);
  }
  if (default_text.empty()) return text + fmt::format("#{} = {}\n\n", option.name, option.example);
  const bool is_in_example = is_repeated_section(option.section) && option.section != "listener";
  return text + fmt::format("{}{} = {}\n\n", is_in_example ? "#" : "", option.name, default_text);
}

// There is one listener without any in the file, and no rule, account or tenant.
std::string section_header(std::string_view section) {
  if (section == "listener") return "[[listener]]\n";
  return is_repeated_section(section) ? fmt::format("#[[{}]]\n", section) : fmt::format("[{}]\n", section);
}

constexpr std::string_view kExampleListener =
    "# A second listener, for applications on other hosts:\n"
    "#[[listener]]\n"
    "#name = \"submissions\"\n"
    "#address = \"0.0.0.0\"\n"
    "#port = 465\n"
    "#tls = \"implicit\"\n"
    "#certificate_file = \"/etc/waxwing/tls/fullchain.pem\"\n"
    "#key_file = \"/etc/waxwing/tls/privkey.pem\"\n"
    "\n";

// Published by these providers as what they answer when they want less from an address.
constexpr std::string_view kExamplePauses =
    "# Rules to begin with, none of them in force until its \"#\" is removed:\n"
    "#[[egress.pause]]\n"
    "#name = \"google-rate\"\n"
    "#provider = \"google.com\"\n"
    "#text = \"4.7.28*\"\n"
    "#pause_for = \"1h\"\n"
    "#\n"
    "#[[egress.pause]]\n"
    "#name = \"yahoo-deferred\"\n"
    "#provider = \"yahoodns.net\"\n"
    "#code = 421\n"
    "#text = \"*[TSS04]*\"\n"
    "#pause_for = \"4h\"\n"
    "#\n"
    "#[[egress.pause]]\n"
    "#name = \"outlook-reputation\"\n"
    "#provider = \"outlook.com\"\n"
    "#code = 451\n"
    "#text = \"4.7.650*\"\n"
    "#pause_for = \"1h\"\n"
    "#\n"
    "#[[egress.pause]]\n"
    "#name = \"listed\"\n"
    "#text = \"*spamhaus*\"\n"
    "#pause_for = \"6h\"\n"
    "\n";

}  // namespace

std::string render_reference_config() {
  std::string text = comment(kPreamble) + '\n';
  std::string_view section;
  for (const Option& option : all_options()) {
    if (option.section != section) {
      if (section == "listener") text += kExampleListener;
      if (section == "egress.pause") text += kExamplePauses;
      section = option.section;
      text += comment(section_help(section));
      text += section_header(section);
    }
    text += render_option(option);
  }
  text.pop_back();
  return text;
}

}  // namespace waxwing
