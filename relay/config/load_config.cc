#include "relay/config/load_config.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "policy/ascii.h"
#include "policy/domain_name.h"
#include "relay/config/config_checks.h"
#include "relay/config/config_reader.h"
#include "relay/config/egress_rules.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxSyntaxErrors = 20;

// TOML++ throws, and stops at the first error.
tl::expected<toml::table, toml::parse_error> parse_toml(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return tl::unexpected(error);
  }
}

struct Line {
  std::size_t begin;
  std::size_t size;  // without the line feed
};

// `number` counts from 1; a line after the last one is empty.
Line find_line(std::string_view text, unsigned number) {
  std::size_t begin = 0;
  for (; number > 1; --number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return {text.size(), 0};
    begin = end + 1;
  }
  const std::size_t end = text.find('\n', begin);
  return {begin, (end == std::string_view::npos ? text.size() : end) - begin};
}

// A line that can be left out without changing what other lines mean: `name` or `name = …`, and no bracket or run of
// quotes that something on other lines may close.
bool stands_alone(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos || !(is_ascii_alpha(line[begin]) || line[begin] == '"')) return false;
  return line.find_first_of("[]{}") == std::string_view::npos && line.find("\"\"\"") == std::string_view::npos &&
         line.find("'''") == std::string_view::npos;
}

// Whether the text may end inside an array or inline table, so that an error after it comes from there.
bool may_be_open(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return false;
  const std::size_t before = text.find_last_of('\n', end);
  const std::string_view line = text.substr(before == std::string_view::npos ? 0 : before + 1);
  const auto count = [line](std::string_view brackets) {
    return std::ranges::count_if(line, [=](char c) { return brackets.find(c) != std::string_view::npos; });
  };
  return text[end] == ',' || count("[{") > count("]}");
}

// Reads what can be read of the text, and reports the rest.
std::optional<toml::table> parse_tolerantly(std::string text, MistakeList& mistakes) {
  for (std::size_t errors = 0; errors < kMaxSyntaxErrors; ++errors) {
    auto parsed = parse_toml(text);
    if (parsed) return std::move(*parsed);
    const toml::source_position at = parsed.error().source().begin;
    const Line line = find_line(text, static_cast<unsigned>(at.line));
    mistakes.add({static_cast<unsigned>(at.line), static_cast<unsigned>(at.column)},
                 fmt::format("this is not TOML: {}", parsed.error().description()),
                 "Correct this line or the one before it; strings need quotes");
    const std::string_view view = text;
    if (!stands_alone(view.substr(line.begin, line.size)) || may_be_open(view.substr(0, line.begin))) break;
    text.replace(line.begin, line.size, line.size, ' ');
  }
  return std::nullopt;
}

struct FileError {
  std::string problem;
  std::string remedy;
};

FileError describe_open_error(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return {"there is no such file", "Create it, or name another with --config"};
    case EACCES:
      return {"this user may not read it", "Run as root or as the user of the service, or change its permissions"};
    default:
      return {fmt::format("it cannot be read: {}", std::generic_category().message(error)),
              "Check the path and its file system"};
  }
}

tl::expected<std::string, FileError> read_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return tl::unexpected(describe_open_error(errno));
  std::string text;
  std::array<char, 65'536> buffer{};
  ssize_t count = 0;
  while (text.size() <= kMaxConfigOctets) {
    count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  const int error = errno;
  ::close(descriptor);
  if (count < 0) return tl::unexpected(describe_open_error(error));
  return text;
}

bool nothing_to_read_at(const std::string& path) {
  struct stat status {};
  // A path that this user may not look at can be fine for the service.
  if (::stat(path.c_str(), &status) != 0) return errno == ENOENT || errno == ENOTDIR;
  return S_ISDIR(status.st_mode);
}

std::string system_host_name() {
  std::array<char, 256> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return "";
  return buffer.data();
}

std::string usable_host_name(const std::string& system_name) {
  const auto domain = DomainName::parse(system_name);
  return domain ? domain->str() : "localhost";
}

}  // namespace

tl::expected<Config, ConfigMistakes> parse_config(std::string_view text, const ConfigSurroundings& surroundings) {
  MistakeList mistakes(surroundings.file_name);
  if (text.size() > kMaxConfigOctets) {
    mistakes.add({}, "it is larger than 1 MiB", "Name the configuration file; this can hardly be it");
    return tl::unexpected(mistakes.take());
  }
  const auto document = parse_tolerantly(std::string(text), mistakes);
  if (!document) return tl::unexpected(mistakes.take());
  ReadConfig read = ConfigReader(mistakes).read(*document);
  check_config(read.config, read.settings, surroundings, mistakes);
  if (mistakes.size() > 0) return tl::unexpected(mistakes.take());
  if (read.config.hostname.empty()) read.config.hostname = usable_host_name(surroundings.system_name);
  complete_egress(read.config);
  if (read.config.tls_report_organization.empty()) read.config.tls_report_organization = read.config.hostname;
  if (read.config.tls_report_contact.empty()) read.config.tls_report_contact = "postmaster@" + read.config.hostname;
  return std::move(read.config);
}

tl::expected<Config, ConfigMistakes> load_config(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return tl::unexpected(ConfigMistakes{{path, 0, 0, text.error().problem, text.error().remedy}});
  return parse_config(*text, {path, system_host_name(), nothing_to_read_at});
}

}  // namespace waxwing
