#pragma once

#include <iostream>
#include <string>
#include <vector>

namespace waxwing {

/// One message on its way between the programs that sign and verify.
struct NamedMessage {
  std::string name;  ///< four digits; decides how the message is signed
  std::string octets;

  /// Position in the run that the name says.
  [[nodiscard]] unsigned number() const { return static_cast<unsigned>(std::stoul(name)); }
};

/// Reads messages as write_bundle() wrote them.
inline std::vector<NamedMessage> read_bundle(std::istream& in) {
  std::vector<NamedMessage> messages;
  std::string name;
  std::size_t size = 0;
  while (in >> name >> size) {
    std::string octets(size, '\0');
    in.ignore(1);
    in.read(octets.data(), static_cast<std::streamsize>(size));
    messages.push_back({name, std::move(octets)});
  }
  return messages;
}

/// Writes "<name> <octets>", LF, the message, LF.
inline void write_bundle(std::ostream& out, const NamedMessage& message) {
  out << message.name << ' ' << message.octets.size() << '\n' << message.octets << '\n';
}

}  // namespace waxwing
