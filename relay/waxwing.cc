// The command line of operators, and sendmail(8) when it is called so.

#include <iostream>
#include <string>
#include <vector>

#include "relay/cli/command_line.h"
#include "relay/cli/sendmail_command.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const std::string path = argc > 0 ? argv[0] : "";
  const std::string program = path.substr(path.rfind('/') + 1);
  const waxwing::CliStreams streams{std::cin, std::cout, std::cerr};
  if (waxwing::is_sendmail_name(program)) return waxwing::run_sendmail(program, words, streams);
  return waxwing::run_command_line(words, streams);
}
