// The command line of operators.

#include <iostream>
#include <string>
#include <vector>

#include "relay/cli/command_line.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return waxwing::run_command_line(words, {std::cin, std::cout, std::cerr});
}
