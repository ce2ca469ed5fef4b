#pragma once

// The version of the library, major.minor.patch. CMakeLists.txt reads it from here.
#define LONGSPAN_VERSION_MAJOR 0
#define LONGSPAN_VERSION_MINOR 2
#define LONGSPAN_VERSION_PATCH 0

// The version as one number to compare: 10203 is 1.2.3. `#if LONGSPAN_VERSION >= 200` asks for 0.2.0 or newer.
#define LONGSPAN_VERSION (LONGSPAN_VERSION_MAJOR * 10000 + LONGSPAN_VERSION_MINOR * 100 + LONGSPAN_VERSION_PATCH)
