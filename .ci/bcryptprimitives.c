/* Windows' bcryptprimitives.dll, from which Go takes its random numbers, for a Wine that has none. */
#include <windows.h>
#include <ntsecapi.h> /* RtlGenRandom is SystemFunction036 of advapi32 */

BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return RtlGenRandom(data, (ULONG)size); }
