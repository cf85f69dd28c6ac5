#include "relay/signing/find_user.h"

#include <fmt/format.h>
#include <pwd.h>

#include <charconv>

namespace waxwing {

Result<uid_t> find_user(const std::string& name, const char* option) {
  uid_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size()) return number;
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry != nullptr) return entry->pw_uid;
  return fail(ErrorKind::NotFound, fmt::format("there is no user '{}'; write its right name into {}", name, option));
}

}  // namespace waxwing
